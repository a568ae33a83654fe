"""Text with facts in it: documents, their files, a semi-real corpus, and its tokens."""

from factcap.synth.corpus.byte_pairs import BytePairs, learn_byte_pairs
from factcap.synth.corpus.compose import Corpus, compose
from factcap.synth.corpus.documents import Document, Span, check_ids
from factcap.synth.corpus.domain_labels import (
    DomainLabels,
    city_domains,
    document_domains,
    label,
    relation_domains,
)
from factcap.synth.corpus.files import load_documents, read_documents, write_documents
from factcap.synth.corpus.grouping import Grouping, marked_groups, single_documents, unmarked_groups
from factcap.synth.corpus.made_up import made_up
from factcap.synth.corpus.marking import find_marks
from factcap.synth.corpus.probes import Probes, Prompt, commonest, read_probes
from factcap.synth.corpus.questions import Questions, questions
from factcap.synth.corpus.relations import Knowledge, read_knowledge
from factcap.synth.corpus.templates import Template
from factcap.synth.corpus.tokens import (
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
    "DomainLabels",
    "Grouping",
    "Knowledge",
    "Probes",
    "Prompt",
    "Questions",
    "Span",
    "Template",
    "Tokenized",
    "TokenizedSpan",
    "check_ids",
    "city_domains",
    "commonest",
    "compose",
    "document_domains",
    "document_facts",
    "find_marks",
    "label",
    "learn_byte_pairs",
    "learn_vocabulary",
    "load_documents",
    "made_up",
    "marked_groups",
    "prompt_facts",
    "questions",
    "read_documents",
    "read_knowledge",
    "read_probes",
    "relation_domains",
    "single_documents",
    "span_facts",
    "tokenize",
    "unmarked_groups",
    "write_documents",
]
