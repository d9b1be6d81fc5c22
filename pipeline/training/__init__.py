"""Training, export and evaluation of the shipped models (extra ``train``)."""
