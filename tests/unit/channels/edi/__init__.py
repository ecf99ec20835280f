"""Tests of trading partners by EDI."""
