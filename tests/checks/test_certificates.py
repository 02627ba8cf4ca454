"""The certificates that other tests are made with are what they say."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.checks.certificates import Pair, Papers


def verified(papers: Papers, pair: Pair, *more: str | Path) -> str:
    """What OpenSSL's own program says."""
    command = ["openssl", "verify", "-x509_strict", "-CAfile", papers.ca, "-untrusted", pair.chain, *more]
    told = subprocess.run([*command, pair.chain], capture_output=True, text=True, check=False, timeout=30)
    return told.stdout + told.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("valid", ": OK"),
        ("expired", "error 10 at 0 depth"),
        ("early", "error 9 at 0 depth"),
        ("below_expired", "error 10 at 1 depth"),
        ("revoked", ": OK"),
        ("below_withdrawn", ": OK"),
        ("unknown", "error 20 at 1 depth"),
        ("self_signed", "self-signed certificate"),
        ("incomplete", "unable to get local issuer certificate"),
    ],
)
def test_what_openssl_says_of_each(papers: Papers, name: str, said: str) -> None:
    assert said in verified(papers, getattr(papers, name))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("valid", ": OK"),
        ("revoked", "error 23 at 0 depth"),
        ("below_withdrawn", "error 23 at 1 depth"),
    ],
)
def test_what_it_says_with_the_lists_of_the_revoked(papers: Papers, name: str, said: str) -> None:
    assert said in verified(papers, getattr(papers, name), "-crl_check_all", "-CRLfile", papers.crl)


def test_lists_that_are_out_of_date(papers: Papers) -> None:
    told = verified(papers, papers.valid, "-crl_check_all", "-CRLfile", papers.crl_out_of_date)
    assert "error 12 at" in told


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("valid", "-verify_hostname=www.example.test", ": OK"),
        ("valid", "-verify_ip=::1", ": OK"),
        ("other_name", "-verify_hostname=www.example.test", "error 62 at 0 depth"),
    ],
)
def test_whose_they_are(papers: Papers, name: str, asked: str, said: str) -> None:
    assert said in verified(papers, getattr(papers, name), *asked.split("="))
