import os

from redis import Redis

QUEUE = os.getenv("QUEUE_NAME", "notes")


def main() -> None:
    token = os.environ["WORKER_TOKEN"]
    queue = Redis.from_url(os.environ["QUEUE_URL"])
    while True:
        _, job = queue.blpop(QUEUE)
        print(len(token), job, os.environ.get("LOG_LEVEL", "info"))


if __name__ == "__main__":
    main()
