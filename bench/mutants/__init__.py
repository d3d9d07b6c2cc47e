"""Mutation testing of the heart: one small change at a time, and does any test notice?"""
