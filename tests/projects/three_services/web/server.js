const api = process.env.API_URL;
const port = process.env.PORT || 8080;
const level = process.env.LOG_LEVEL ?? "info";

if (!api) throw new Error("API_URL is not set");

require("http")
  .createServer(async (_, answer) => {
    const notes = await fetch(`${api}/notes`);
    if (level === "debug") console.log(notes.status);
    answer.end(await notes.text());
  })
  .listen(port);
