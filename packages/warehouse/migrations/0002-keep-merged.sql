-- The sources of a merge stay for a while, so that a merge that met a full disk can be undone. The engine in process
-- keeps them for no time at all; there, more than 20 s would be many small parts in memory. A server's own 480 s stay.
ALTER TABLE millrace_store.clock MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
ALTER TABLE millrace_store.event_day MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
ALTER TABLE millrace_store.events MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
ALTER TABLE millrace_store.flips MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
ALTER TABLE millrace_store.ledger_counts MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
ALTER TABLE millrace_store.numbers MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
ALTER TABLE millrace_store.person_base_versions MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
ALTER TABLE millrace_store.profiles MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
ALTER TABLE millrace_store.refused_links MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
ALTER TABLE millrace_store.rejected MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
ALTER TABLE millrace_store.repeats MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
ALTER TABLE millrace_store.rules MODIFY SETTING old_parts_lifetime = {old_parts_lifetime};
