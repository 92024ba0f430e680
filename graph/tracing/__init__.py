"""Spans: how they are made, kept, found, told and sent."""
