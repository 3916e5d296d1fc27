from dataclasses import dataclass
from typing import Optional, Protocol

from notes.models import Note, db


@dataclass
class NoteRecord:
    title: str
    body: Optional[str] = None
    pinned: bool = False
    id: Optional[int] = None


class NoteStore(Protocol):
    def add(self, note: NoteRecord) -> int: ...

    def get(self, note_id: int) -> Optional[NoteRecord]: ...

    def pinned(self, limit: int = 5) -> list: ...


class SqlNoteStore:
    def add(self, note: NoteRecord) -> int:
        row = Note(title=note.title, body=note.body, pinned=note.pinned)
        db.session.add(row)
        db.session.flush()
        return row.id

    def get(self, note_id: int) -> Optional[NoteRecord]:
        row = db.session.get(Note, note_id)
        return row and NoteRecord(id=row.id, title=row.title, body=row.body, pinned=row.pinned)

    def pinned(self, limit: int = 5) -> list:
        found = Note.query.filter_by(pinned=True).order_by(Note.id).limit(limit)
        return [note.title for note in found]


class MemoryNoteStore:
    def __init__(self) -> None:
        self.notes: dict = {}

    def add(self, note: NoteRecord) -> int:
        note.id = len(self.notes) + 1
        self.notes[note.id] = note
        return note.id

    def get(self, note_id: int) -> Optional[NoteRecord]:
        return self.notes.get(note_id)

    def pinned(self, limit: int = 5) -> list:
        return [note.title for note in self.notes.values() if note.pinned][:limit]
