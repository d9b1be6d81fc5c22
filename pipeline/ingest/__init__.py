"""The first stage: sources become documents.

:func:`find` lists the files of the sources, :func:`read` takes the documents out of one file, and
:func:`to_tables` and :func:`rejected_table` turn them into tables. What cannot be used is a
:class:`Rejected`, never an exception: a bad file or line does not stop a run.
"""

from pipeline.ingest.inputs import InputFile, SourceNotFound, find
from pipeline.ingest.reading import read
from pipeline.ingest.records import ERRORS, Incoming, Limits, Rejected
from pipeline.ingest.tables import rejected_table, to_tables

__all__ = [
    "ERRORS",
    "Incoming",
    "InputFile",
    "Limits",
    "Rejected",
    "SourceNotFound",
    "find",
    "read",
    "rejected_table",
    "to_tables",
]
