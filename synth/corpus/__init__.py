"""Text with facts in it: documents, their files, a semi-real corpus, and its tokens."""

from synth.corpus.byte_pairs import BytePairs, learn_byte_pairs
from synth.corpus.compose import Corpus, compose
from synth.corpus.documents import Document, Span, check_ids
from synth.corpus.files import load_documents, read_documents, write_documents
from synth.corpus.grouping import Grouping, marked_groups, single_documents
from synth.corpus.made_up import made_up
from synth.corpus.questions import Questions, questions
from synth.corpus.relations import Knowledge, read_knowledge
from synth.corpus.templates import Template
from synth.corpus.tokens import (
    Tokenized,
    TokenizedSpan,
    document_facts,
    learn_vocabulary,
    prompt_facts,
    span_facts,
    tokenize,
)

__all__ = [
    "BytePairs",
    "Corpus",
    "Document",
    "Grouping",
    "Knowledge",
    "Questions",
    "Span",
    "Template",
    "Tokenized",
    "TokenizedSpan",
    "check_ids",
    "compose",
    "document_facts",
    "learn_byte_pairs",
    "learn_vocabulary",
    "load_documents",
    "made_up",
    "marked_groups",
    "prompt_facts",
    "questions",
    "read_documents",
    "read_knowledge",
    "single_documents",
    "span_facts",
    "tokenize",
    "write_documents",
]
