"""The built-ins: what `value?name(arguments)` does."""

from __future__ import annotations

from candu_source.integrations.freemarker.built_ins import of_numbers, of_sequences, of_text
from candu_source.integrations.freemarker.built_ins.of_numbers import SELECTING as SELECTING
from candu_source.integrations.freemarker.built_ins.table import BuiltIn as BuiltIn

TABLE: dict[str, BuiltIn] = {**of_text.TABLE, **of_numbers.TABLE, **of_sequences.TABLE}
# Those that the parser turns into nodes of their own, because they look at more than a value.
LAZY = frozenset({"has_content", "then", "filter", "map"})
OF_LOOPS = frozenset({"index", "counter", "has_next", "is_first", "is_last"})
# What FreeMarker 2.3.31 has beyond that.
REFUSED_WORDS = """
    absolute_template_name ancestors api byte capitalize children chop_linebreak chunk date_if_unknown datetime_if_unknown default
    double drop_while esc eval exists float has_api if_exists interpret is_collection is_collection_ex is_date_like is_date_only
    is_datetime is_directive is_enumerable is_even_item is_hash_ex is_indexable is_infinite is_macro is_markup_output is_method is_nan
    is_node is_odd_item is_sequence_like is_time is_transform is_unknown_date_like iso iso_h iso_h_nz iso_local iso_local_h
    iso_local_h_nz iso_local_m iso_local_m_nz iso_local_ms iso_local_ms_nz iso_local_nz iso_m iso_m_nz iso_ms iso_ms_nz iso_nz iso_utc
    iso_utc_fz iso_utc_h iso_utc_h_nz iso_utc_m iso_utc_m_nz iso_utc_ms iso_utc_ms_nz iso_utc_nz item_cycle item_parity
    item_parity_cap j_string lower_abc markup_string max min namespace new next_sibling no_esc node_name node_namespace node_type
    number_to_time parent previous_sibling root rtf seq_last_index_of short sequence switch take_while time_if_unknown truncate
    truncate_c truncate_c_m truncate_m truncate_w truncate_w_m upper_abc url_path web_safe with_args with_args_last word_list xhtml
    xml
"""
REFUSED = frozenset(REFUSED_WORDS.split())
