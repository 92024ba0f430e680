"""Trace, account and audit."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOVES = (
    "UPDATE spans SET attributes = NULL WHERE kind <> 'call'",
    """UPDATE spans SET attributes = json_object(
        'gen_ai.request.model', json_extract(attributes, '$.model'),
        'gen_ai.input.messages', json((
            SELECT json_group_array(json_object(
                'role', json_extract(value, '$.role'),
                'parts', json_array(json_object(
                    'type', 'text', 'content', json_extract(value, '$.content')))))
            FROM json_each(spans.attributes, '$.prompt'))),
        'gen_ai.output.messages', json_array(json_object(
            'role', 'assistant',
            'parts', json_array(json_object(
                'type', 'text', 'content', json_extract(attributes, '$.reply'))),
            'finish_reason', iif(error IS NULL, 'stop', 'error'))))
    WHERE kind = 'call'""",
    "UPDATE spans SET id = substr(id, 1, 16), parent_id = substr(parent_id, 1, 16)",
    "UPDATE spans SET node = name WHERE kind = 'node'",
    """UPDATE spans SET node = (
        SELECT name FROM spans AS node WHERE node.id = spans.parent_id AND node.kind = 'node')
    WHERE kind = 'call'""",
    """INSERT INTO ledger
        (run_id, reader_id, agent, calls, failed, tokens_in, tokens_out, cost_usd,
        saved_calls, saved_usd)
    SELECT run_id, coalesce(reader_id, ''), name, count(*), count(error), sum(tokens_in),
        sum(tokens_out), sum(cost_usd), 0, 0.0
    FROM spans WHERE kind = 'call' GROUP BY run_id, coalesce(reader_id, ''), name""",
    """UPDATE decisions SET taken_up_at = at WHERE EXISTS (
        SELECT 1 FROM pairs JOIN readers USING (run_id, reader_id)
        WHERE pairs.id = decisions.pair_id AND readers.status IN ('finished', 'failed'))""",
)
"""What the first version kept, where the tables have it now."""


def upgrade() -> None:
    """Bring a database of version 0001 to this one."""
    op.create_table(
        "failures",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("reader_id", sa.String(length=200), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("agent", sa.String(length=100), nullable=False),
        sa.Column("dimension", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("failures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_failures_run_id"), ["run_id"], unique=False)

    op.create_table(
        "ledger",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("reader_id", sa.String(length=200), nullable=False),
        sa.Column("agent", sa.String(length=100), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Double(), nullable=False),
        sa.Column("saved_calls", sa.Integer(), nullable=False),
        sa.Column("saved_usd", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "reader_id", "agent"),
    )
    op.create_table(
        "replies",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("reader_id", sa.String(length=200), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Double(), nullable=False),
        sa.Column("logprobs", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    with op.batch_alter_table("replies", schema=None) as batch_op:
        batch_op.create_index("replies_by_reader", ["reader_id", "key"], unique=False)

    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("via", sa.String(length=16), nullable=False, server_default="terminal")
        )
        batch_op.add_column(sa.Column("key", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("chosen", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("rejected", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("taken_up_at", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("undone_at", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("undone_by", sa.String(length=100), nullable=True))
        batch_op.create_index("decisions_by_key", ["key"], unique=True)

    with op.batch_alter_table("pairs", schema=None) as batch_op:
        batch_op.create_index("pairs_by_reader", ["reader_id", "run_id"], unique=False)

    with op.batch_alter_table("verifications", schema=None) as batch_op:
        batch_op.drop_index("ix_verifications_reader_id")
        batch_op.create_index("verifications_by_reader", ["reader_id", "item"], unique=False)

    with op.batch_alter_table("spans", schema=None) as batch_op:
        batch_op.add_column(sa.Column("node", sa.String(length=100), nullable=True))
        batch_op.add_column(
            sa.Column("cached", sa.Boolean(), server_default=sa.text("0"), nullable=False)
        )
        batch_op.alter_column(
            "name",
            existing_type=sa.VARCHAR(length=100),
            type_=sa.String(length=200),
            existing_nullable=False,
        )
        batch_op.drop_index(batch_op.f("spans_by_run"))
        batch_op.create_index(
            "spans_by_run",
            [
                "run_id",
                "started_at",
                "id",
                "parent_id",
                "reader_id",
                "kind",
                "name",
                "node",
                "duration_s",
                "tokens_in",
                "tokens_out",
                "cost_usd",
                "cached",
                "error",
            ],
            unique=False,
        )
        batch_op.create_index("spans_by_name", ["kind", "name", "run_id"], unique=False)
        batch_op.alter_column(
            "call", new_column_name="attributes", existing_type=sa.JSON(), existing_nullable=True
        )

    for move in MOVES:
        op.execute(move)
