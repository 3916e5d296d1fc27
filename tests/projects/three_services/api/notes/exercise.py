from notes.stores import NoteRecord


def exercise(store):
    first = store.add(NoteRecord(title="Plain"))
    second = store.add(NoteRecord(title="Pinned", pinned=True))
    return {
        "kept": store.get(first).title,
        "pinned": "Pinned" in store.pinned(100),
        "two": second != first,
    }
