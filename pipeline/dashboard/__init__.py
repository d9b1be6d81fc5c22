"""The local web page over the published tables: ``exonym dashboard``.

``reader`` looks at one generation of the files by DuckDB, ``queries`` asks the questions, ``names``
finds entities as one types, ``app`` answers requests with the pages in ``templates``, ``server``
listens.
"""
