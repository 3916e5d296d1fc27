import os

from flask import Blueprint, jsonify

from notes.models import Note

pinned = Blueprint("pinned", __name__)


@pinned.get("/notes/pinned")
def pinned_notes():
    limit = int(os.environ["PINNED_LIMIT"])
    found = Note.query.filter_by(pinned=True).limit(limit)
    return jsonify(pinned=[note.title for note in found])
