from flask import Blueprint, jsonify

from notes.models import Note

views = Blueprint("views", __name__)


@views.get("/notes")
def listed():
    return jsonify([note.title for note in Note.query.order_by(Note.id)])
