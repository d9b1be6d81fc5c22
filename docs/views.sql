-- Views over Exonym's tables for DuckDB. From the folder above data/processed:
--
--     duckdb -init docs/views.sql
--
-- For another folder, or a database file that other programs open:
--
--     sed 's#data/processed#/srv/tables#' docs/views.sql | duckdb exonym.duckdb
--
-- The views hold no rows: each query reads the files as they are at that moment.

-- The tables as they were published. Days before a merge keep the old entity_id.
CREATE OR REPLACE VIEW documents AS FROM 'data/processed/documents/*.parquet';
CREATE OR REPLACE VIEW document_sources AS FROM 'data/processed/document_sources/*.parquet';
CREATE OR REPLACE VIEW segments AS FROM 'data/processed/segments/*.parquet';
CREATE OR REPLACE VIEW mentions AS FROM 'data/processed/mentions/*.parquet';
CREATE OR REPLACE VIEW entities AS FROM 'data/processed/entities/*.parquet';
CREATE OR REPLACE VIEW entity_names AS FROM 'data/processed/entity_names/*.parquet';
CREATE OR REPLACE VIEW redirects AS FROM 'data/processed/redirects/*.parquet';
CREATE OR REPLACE VIEW daily_entities AS FROM 'data/processed/daily_entities/*.parquet';
CREATE OR REPLACE VIEW daily_pairs AS FROM 'data/processed/daily_pairs/*.parquet';
CREATE OR REPLACE VIEW quarantine AS FROM 'data/processed/quarantine/*.parquet';
CREATE OR REPLACE VIEW runs AS FROM 'data/processed/runs/*.parquet';

-- The same with every merge followed to the live entity, and its name of now.
CREATE OR REPLACE VIEW live_mentions AS
SELECT m.* REPLACE (coalesce(r.replaced_by, m.entity_id) AS entity_id)
FROM mentions m LEFT JOIN redirects r USING (entity_id);

CREATE OR REPLACE VIEW live_daily_entities AS
SELECT d.date, d.lang, e.entity_id, e.name, e.label, sum(d.n_mentions)::BIGINT AS n_mentions,
       sum(d.n_documents)::BIGINT AS n_documents, sum(d.n_stories)::BIGINT AS n_stories
FROM daily_entities d LEFT JOIN redirects r USING (entity_id)
     JOIN entities e ON e.entity_id = coalesce(r.replaced_by, d.entity_id)
GROUP BY ALL;

CREATE OR REPLACE VIEW live_daily_pairs AS
WITH followed AS (
    SELECT p.date, coalesce(a.replaced_by, p.entity_a) AS a,
           coalesce(b.replaced_by, p.entity_b) AS b, p.n_documents, p.n_stories
    FROM daily_pairs p LEFT JOIN redirects a ON a.entity_id = p.entity_a
         LEFT JOIN redirects b ON b.entity_id = p.entity_b
)
SELECT date, least(a, b) AS entity_a, greatest(a, b) AS entity_b,
       sum(n_documents)::BIGINT AS n_documents, sum(n_stories)::BIGINT AS n_stories
FROM followed WHERE a <> b GROUP BY ALL;

-- Who was in the news, by day, with a column for each language.
CREATE OR REPLACE VIEW daily_top AS
SELECT date, entity_id, name, label, sum(n_mentions)::BIGINT AS n_mentions,
       sum(n_documents)::BIGINT AS n_documents, count(DISTINCT lang) AS n_languages,
       sum(n_mentions) FILTER (lang = 'hi')::BIGINT AS hi,
       sum(n_mentions) FILTER (lang = 'ro')::BIGINT AS ro,
       sum(n_mentions) FILTER (lang = 'tr')::BIGINT AS tr,
       sum(n_mentions) FILTER (lang = 'en')::BIGINT AS en,
       sum(n_mentions) FILTER (lang = 'vi')::BIGINT AS vi
FROM live_daily_entities GROUP BY ALL;

-- How much more often someone was named than on the days of the week before that have tables.
CREATE OR REPLACE VIEW risers AS
WITH days AS (SELECT DISTINCT date FROM daily_entities),
compared AS (
    SELECT today.date, count(earlier.date) AS n_days
    FROM days today LEFT JOIN days earlier
         ON earlier.date BETWEEN today.date - 7 AND today.date - 1
    GROUP BY today.date
)
SELECT t.date, t.entity_id, t.name, t.label, t.n_documents,
       coalesce(sum(e.n_documents), 0) / any_value(c.n_days) AS documents_a_day_before,
       t.n_documents - documents_a_day_before AS rise
FROM daily_top t JOIN compared c USING (date)
     LEFT JOIN daily_top e
     ON e.entity_id = t.entity_id AND e.date BETWEEN t.date - 7 AND t.date - 1
WHERE c.n_days > 0 GROUP BY t.date, t.entity_id, t.name, t.label, t.n_documents;

-- Entities that the knowledge base does not know, on the day they were first met.
CREATE OR REPLACE VIEW new_names AS
SELECT first_seen AS date, entity_id, name, label, n_mentions, n_documents, langs
FROM entities WHERE status = 'new';

-- Every spelling of everyone, as it was met in the news.
CREATE OR REPLACE VIEW spellings AS
SELECT e.entity_id, e.name, e.label, n.lang, n.script, n.name AS spelling, n.n_mentions
FROM entities e JOIN entity_names n USING (entity_id) WHERE n.n_mentions > 0;

-- Who stood beside whom, each pair from both sides.
CREATE OR REPLACE VIEW neighbours AS
WITH both_ways AS (
    SELECT date, entity_a AS entity_id, entity_b AS neighbour_id, n_documents FROM live_daily_pairs
    UNION ALL
    SELECT date, entity_b, entity_a, n_documents FROM live_daily_pairs
)
SELECT date, entity_id, e.name, neighbour_id, n.name AS neighbour, b.n_documents
FROM both_ways b JOIN entities e USING (entity_id) JOIN entities n ON n.entity_id = neighbour_id;

-- Sentences that name someone, with the document's title and addresses.
CREATE OR REPLACE VIEW sentences AS
SELECT m.date, m.lang, m.entity_id, e.name, e.label, m.surface, m.sentence,
       m.start - m.sentence_start AS start_in_sentence, m.doc_id, d.title,
       (SELECT list(DISTINCT s.url) FROM document_sources s
        WHERE s.doc_id = m.doc_id AND s.url IS NOT NULL) AS urls,
       m.link_method, m.link_score, m.mention_id
FROM live_mentions m JOIN entities e USING (entity_id) JOIN documents d USING (doc_id)
WHERE m.kind = 'body' AND d.superseded_by IS NULL;

-- Documents, words and mentions by day and language.
CREATE OR REPLACE VIEW daily_languages AS
WITH written AS (
    SELECT date, lang, count(*) AS n_documents, sum(n_words)::BIGINT AS n_words
    FROM documents WHERE superseded_by IS NULL GROUP BY ALL
), named AS (
    SELECT date, lang, sum(n_mentions)::BIGINT AS n_mentions,
           count(DISTINCT entity_id) AS n_entities
    FROM daily_entities GROUP BY ALL
)
SELECT date, lang, coalesce(n_documents, 0) AS n_documents, coalesce(n_words, 0) AS n_words,
       coalesce(n_mentions, 0) AS n_mentions, coalesce(n_entities, 0) AS n_entities
FROM written FULL JOIN named USING (date, lang);
