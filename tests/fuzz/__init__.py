"""Any bytes at all, against readers and rules.

``make fuzz`` looks for inputs that break them, by atheris, which steers by coverage; what it found
once lies in ``found/`` and is tried again by every run of the tests.
"""
