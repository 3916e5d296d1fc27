FLASK_APP=notes:create_app
