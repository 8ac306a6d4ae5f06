"""Slug, package, task and source names derived from answers, and the rules that the answers choose."""

import json
from collections.abc import Callable

import pytest

import template_answers
import template_extension as extension
from support.answers import ACCEPTED
from support.baked import BakedProject
from support.variants import TEXTS

NAMES = [
    *TEXTS["project_name"],
    *ACCEPTED["project_name"],
    "2024 sales",
    "---",
    "json",
    "Pandas",
    "a" * 80,
    "CON",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_gives_a_slug_and_a_package_that_pass_their_checks(name: str) -> None:
    slug = extension.slug(name)
    if slug not in ("pandas", "con", "json"):  # these need another answer, and the check says so
        template_answers.check_project_slug(slug)
    template_answers.check_package_name(extension.identifier(slug))


@pytest.mark.parametrize(
    ("name", "slug", "package"),
    [
        ("Customer ETL", "customer-etl", "customer_etl"),
        ("Ann's Café", "anns-cafe", "anns_cafe"),
        ("Größe", "grosse", "grosse"),
        ("東京", "etl-service", "etl_service"),
        ("2024 sales", "2024-sales", "etl_2024_sales"),
        ("json", "json", "json_etl"),
    ],
)
def test_derived_names(name: str, slug: str, package: str) -> None:
    assert extension.slug(name) == slug
    assert extension.identifier(slug) == package


@pytest.mark.parametrize(
    ("key_column", "entity"),
    [
        ("customer_id", "customer"),
        ("customerId", "customer"),
        ("Order ID", "order"),
        ("id", "id"),
        ("email", "email"),
        ("Kunden-Nr.", "kunden_nr"),
        ("顧客番号", "record"),
        ("class_id", "class"),
    ],
)
def test_entity_of_a_key(key_column: str, entity: str) -> None:
    assert extension.entity(key_column) == entity
    assert f"merge_{entity}_data".isidentifier()


def test_source_names_are_those_of_the_rendered_project(bake_project: Callable[..., BakedProject]) -> None:
    """The check at the prompt and the project's settings have the same rule, each in its own code."""
    files = [file for answer in ACCEPTED["source_files"] for file in template_answers.split_files(answer)]
    project = bake_project()
    names = json.loads(project.run_program("print_source_names", project.package, *files))
    assert names == [template_answers.source_name(file) for file in files]


@pytest.mark.parametrize(
    ("sources", "key_column", "kind"),
    [
        ("crm.csv, billing.csv, product.csv, support.csv", "customer_id", "customer"),
        ("support.csv,crm.csv,billing.csv,product.csv", "customer_id", "customer"),
        ("crm.csv, billing.csv, product.csv, support.csv", "email", "neutral"),
        ("crm.csv, billing.csv, product.csv", "customer_id", "neutral"),
    ],
)
def test_customers_rules_need_their_sources_and_key(sources: str, key_column: str, kind: str) -> None:
    assert extension.enrichment(sources, key_column) == kind
