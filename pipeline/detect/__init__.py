"""Detect: documents to segments, each in one language and of one kind."""

from pipeline.detect.documents import detect

__all__ = ["detect"]
