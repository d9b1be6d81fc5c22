"""Exonym: who, where and which organisation the news was about, whatever the language wrote."""
