"""What an analyst does with clickhouse-connect: arguments are host, port, API key. Prints one JSON object."""
import json
import sys

import clickhouse_connect

host, port, key = sys.argv[1], int(sys.argv[2]), sys.argv[3]
seen = {}
for compress in (False, True):
    client = clickhouse_connect.get_client(host=host, port=port, username='analyst', password=key, database='millrace', compress=compress)
    name = 'gzip' if compress else 'plain'
    seen[name] = {}
    result = client.query('SELECT message_id, timestamp, revenue, person_id FROM events ORDER BY message_id')
    seen[name]['query'] = [len(result.result_rows), str(result.first_row[0]), str(result.first_row[1]), str(result.first_row[2])]
    seen[name]['bound'] = client.query('SELECT {n:UInt8} AS n, %(s)s AS s' % {'s': "'x'"}, parameters={'n': 5}).result_rows
    frame = client.query_df('SELECT number AS n, toString(number) AS s FROM numbers(100000)')
    seen[name]['query_df'] = [int(frame['n'].sum()), list(frame.columns)]
    empty = client.query("SELECT event, revenue FROM events WHERE event = 'none'")
    seen[name]['empty'] = [list(empty.column_names), len(empty.result_rows)]
    rows = 0
    with client.query_rows_stream('SELECT number FROM numbers(1000000)') as stream:
        for _ in stream:
            rows += 1
    seen[name]['stream'] = rows
    rows = 0
    try:
        with client.query_rows_stream('SELECT throwIf(number = 900000, \'in the middle\') FROM numbers(1000000)') as stream:
            for _ in stream:
                rows += 1
        seen[name]['middle'] = 'no error'
    except Exception as error:
        seen[name]['middle'] = [rows > 0, 'in the middle' in str(error), type(error).__name__]
    try:
        client.query('SELECT * FROM millrace_store.events')
        seen[name]['refused'] = 'no error'
    except Exception as error:
        seen[name]['refused'] = 'ACCESS_DENIED' in str(error)
    seen[name]['arrow'] = client.raw_query('SELECT count() FROM millrace.events', fmt='CSV').decode().strip()
    seen[name]['command'] = client.command('SELECT count() FROM people')
    client.close()
try:
    clickhouse_connect.get_client(host=host, port=port, username='analyst', password='wrong')
    seen['wrong'] = 'no error'
except Exception as error:
    seen['wrong'] = 'AUTHENTICATION_FAILED' in str(error)
print(json.dumps(seen))
