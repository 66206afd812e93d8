/**
 * The same question for DuckDB: reads a scan of v2.2 into Parquet, then detects and verifies in SQL.
 *
 *   node bench/duckdb-scan.ts import SCAN PAIRS.parquet
 *   node bench/duckdb-scan.ts judge SCAN PAIRS.parquet VERDICTS.parquet
 *
 * It takes of each row what the question needs, passes over damaged lines, and neither keeps nor names what it leaves out.
 */
import { dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

const MEMORY_LIMIT = '6GB'
const [step, scan = '', pairs = '', verdicts = ''] = process.argv.slice(2)
const ANSWERS = 'MAP(VARCHAR, STRUCT(http VARCHAR, cert VARCHAR, asnum BIGINT, asname VARCHAR))'

const IMPORT = `COPY (
  SELECT row_number() OVER () AS id, vp, test_url, passed_liveness,
    flatten(list_transform(list_filter(response, trial -> trial.url = test_url), trial -> map_keys(trial.response))) AS addresses
  FROM read_json('${join(scan, 'results.json')}', format = 'newline_delimited', ignore_errors = true, maximum_object_size = 8388608,
    columns = {vp: 'VARCHAR', test_url: 'VARCHAR', passed_liveness: 'BOOLEAN', response: 'STRUCT(url VARCHAR, response ${ANSWERS})[]'})
  WHERE vp IS NOT NULL AND response IS NOT NULL
) TO '${pairs}' (FORMAT parquet)`

const JUDGE = [
  `CREATE TABLE tags AS SELECT ip, nullif(http, '') AS http, nullif(cert, '') AS cert, nullif(asnum, 0) AS asnum, nullif(asname, '') AS asname
   FROM read_json('${join(scan, 'raw/tagged_responses.json')}', format = 'newline_delimited',
     columns = {ip: 'VARCHAR', http: 'VARCHAR', cert: 'VARCHAR', asnum: 'BIGINT', asname: 'VARCHAR'})`,
  `CREATE TABLE control AS SELECT DISTINCT test_url, ip FROM (
     SELECT test_url, unnest(flatten(list_transform(response, trial -> trial.response))) AS ip
     FROM read_json('${join(scan, 'raw/responses_control.json')}', format = 'newline_delimited',
       columns = {test_url: 'VARCHAR', response: 'STRUCT(url VARCHAR, response VARCHAR[])[]'}))`,
  `CREATE TABLE control_tags AS SELECT test_url, list(http) AS http, list(cert) AS cert, list(asnum) AS asnum, list(asname) AS asname,
     list(ip) AS ip, bool_or(http IS NOT NULL OR cert IS NOT NULL OR asnum IS NOT NULL OR asname IS NOT NULL) AS tagged
   FROM control LEFT JOIN tags USING (ip) GROUP BY test_url`,
  `CREATE TABLE matches AS SELECT test_url, ip, tags.asname,
     list_contains(control_tags.ip, ip) OR coalesce(list_contains(control_tags.http, tags.http), false)
       OR coalesce(list_contains(control_tags.cert, tags.cert), false) OR coalesce(list_contains(control_tags.asnum, tags.asnum), false)
       OR coalesce(list_contains(control_tags.asname, tags.asname), false) AS overlap,
     tags.http IS NOT NULL OR tags.cert IS NOT NULL OR tags.asnum IS NOT NULL OR tags.asname IS NOT NULL AS tagged
   FROM (SELECT DISTINCT test_url, unnest(addresses) AS ip FROM '${pairs}') LEFT JOIN tags USING (ip) LEFT JOIN control_tags USING (test_url)`,
  `CREATE TABLE judged AS SELECT pairs.id, pairs.test_url, addresses,
     passed_liveness AND coalesce(control_tags.tagged, false) AND (answers.id IS NULL OR (NOT answers.overlap AND answers.tagged)) AS anomaly
   FROM '${pairs}' AS pairs LEFT JOIN control_tags USING (test_url) LEFT JOIN (
     SELECT id, bool_or(overlap) AS overlap, bool_or(tagged) AS tagged
     FROM (SELECT id, test_url, unnest(addresses) AS ip FROM '${pairs}') JOIN matches USING (test_url, ip) GROUP BY id) AS answers USING (id)`,
  `CREATE TABLE suspects AS SELECT id, test_url, unnest(addresses) AS ip FROM judged WHERE anomaly`,
  `CREATE TABLE few AS SELECT ip FROM suspects GROUP BY ip HAVING count(DISTINCT test_url) <= 2`,
  `COPY (SELECT judged.id, anomaly, coalesce(reasons.excluded, false) AS excluded FROM judged LEFT JOIN (
     SELECT id, bool_or(few.ip IS NOT NULL OR coalesce(regexp_matches(matches.asname, 'AMAZON|Akamai|OPENDNS|CLOUDFLARENET|GOOGLE'), false)) AS excluded
     FROM suspects JOIN matches USING (test_url, ip) LEFT JOIN few USING (ip) GROUP BY id) AS reasons USING (id)
   ) TO '${verdicts}' (FORMAT parquet)`,
]

const instance = await DuckDBInstance.create(':memory:', { memory_limit: MEMORY_LIMIT })
const connection = await instance.connect()
await connection.run('SET autoinstall_known_extensions = false')
await connection.run('SET preserve_insertion_order = false')
await connection.run(`SET temp_directory = '${join(dirname(pairs), 'spill')}'`)
for (const statement of step === 'import' ? [IMPORT] : JUDGE) await connection.run(statement)
const counted = await connection.runAndReadAll(
  step === 'import'
    ? `SELECT count(*)::DOUBLE AS rows FROM '${pairs}'`
    : `SELECT count(*)::DOUBLE AS judged, sum(anomaly::INTEGER)::DOUBLE AS anomalies, sum(excluded::INTEGER)::DOUBLE AS excluded FROM '${verdicts}'`,
)
process.stdout.write(`${JSON.stringify(counted.getRowObjects()[0])}\n`)
connection.closeSync()
instance.closeSync()
