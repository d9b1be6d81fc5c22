"""Which person, place or organisation each mention names, and the ids that stay."""
