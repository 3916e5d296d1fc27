"""Every rule, registered in one place, and the review that runs them all."""

from rulezero_policies.findings import Finding
from rulezero_policies.rules import (
    add_check,
    add_foreign_key,
    add_unique,
    app_import,
    dml_without_where,
    downgrade_mismatch,
    downgrade_missing,
    downgrade_order,
    downgrade_pass,
    downgrade_raises,
    drop_cascade,
    drop_column,
    drop_constraint,
    drop_foreign_key,
    drop_index,
    drop_table,
    foreign_key_order,
    gin_index,
    json_type,
    mysql_implicit_default,
    narrow,
    not_null_without_default,
    opaque,
    rename_as_drop_add,
    rename_live,
    set_not_null,
    truncate,
    type_change,
    unnamed_drop,
)
from rulezero_policies.rules.rule import Hit, Rule
from rulezero_policies.scene import Scene

__all__ = ["RULES", "Hit", "Rule", "review"]

RULES: tuple[Rule, ...] = (
    not_null_without_default.RULE,
    mysql_implicit_default.RULE,
    drop_column.RULE,
    drop_table.RULE,
    rename_as_drop_add.RULE,
    rename_live.RULE,
    type_change.RULE,
    narrow.RULE,
    drop_foreign_key.RULE,
    drop_constraint.RULE,
    drop_index.RULE,
    set_not_null.RULE,
    add_unique.RULE,
    add_foreign_key.RULE,
    add_check.RULE,
    foreign_key_order.RULE,
    dml_without_where.RULE,
    truncate.RULE,
    drop_cascade.RULE,
    json_type.RULE,
    gin_index.RULE,
    unnamed_drop.RULE,
    downgrade_missing.RULE,
    downgrade_pass.RULE,
    downgrade_raises.RULE,
    downgrade_mismatch.RULE,
    downgrade_order.RULE,
    app_import.RULE,
    opaque.RULE,
)


def review(scene: Scene) -> tuple[Finding, ...]:
    """Everything the rules find in `scene`, CRITICAL first."""
    found = dict.fromkeys(f for rule in RULES for f in rule.findings(scene))
    return tuple(sorted(found, key=lambda f: f.severity != "CRITICAL"))
