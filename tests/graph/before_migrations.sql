-- A home of gravity 0.1.0, before there were versions of the schema: `sqlite3 gravity.db .dump`.
BEGIN TRANSACTION;
CREATE TABLE answers (
	reader_id VARCHAR(200) NOT NULL, 
	instrument VARCHAR(64) NOT NULL, 
	answers JSON NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (reader_id, instrument)
);
INSERT INTO "answers" VALUES('ana','short','{"benevolence-h1": 5}',1795465916.5);
CREATE TABLE decisions (
	id INTEGER NOT NULL, 
	pair_id VARCHAR(64) NOT NULL, 
	at DOUBLE NOT NULL, 
	reviewer VARCHAR(100) NOT NULL, 
	action VARCHAR(16) NOT NULL, 
	reason TEXT NOT NULL, 
	"before" JSON NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(pair_id) REFERENCES pairs (id)
);
INSERT INTO "decisions" VALUES(1,'ana-2',1795465916.5,'eve','approve','it fits','{"id": "ana-2", "run_id": "run-1", "reader_id": "ana", "scenario_id": "s2", "facet": "value", "dimension": "benevolence", "pole": "high", "group": "", "prompt": [{"role": "user", "content": "What do you do?"}], "chosen": "Help 2.", "rejected": "Wait 2.", "verdicts": [], "status": "rejected", "reason": "the critic''s word"}');
CREATE TABLE descriptions (
	fingerprint VARCHAR(64) NOT NULL, 
	created_at DOUBLE NOT NULL, 
	reader_id VARCHAR(200) NOT NULL, 
	book_id VARCHAR(200) NOT NULL, 
	method VARCHAR(200) NOT NULL, 
	record JSON NOT NULL, 
	PRIMARY KEY (fingerprint)
);
INSERT INTO "descriptions" VALUES('ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',1795465916.5,'ana','b05','base','{"reader_id": "ana", "book_id": "b05", "method": "base", "text": "A quiet book.", "faithful": true, "why": []}');
CREATE TABLE pairs (
	id VARCHAR(64) NOT NULL, 
	run_id VARCHAR(64) NOT NULL, 
	reader_id VARCHAR(200) NOT NULL, 
	created_at DOUBLE NOT NULL, 
	facet VARCHAR(16) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	record JSON NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "pairs" VALUES('ana-1','run-1','ana',1795465916.5,'value','accepted','{"id": "ana-1", "run_id": "run-1", "reader_id": "ana", "scenario_id": "s1", "facet": "value", "dimension": "benevolence", "pole": "high", "group": "", "prompt": [{"role": "user", "content": "What do you do?"}], "chosen": "Help 1.", "rejected": "Wait 1.", "verdicts": [], "status": "accepted", "reason": "the critic''s word"}');
INSERT INTO "pairs" VALUES('ana-2','run-1','ana',1795465916.5,'value','accepted','{"id": "ana-2", "run_id": "run-1", "reader_id": "ana", "scenario_id": "s2", "facet": "value", "dimension": "benevolence", "pole": "high", "group": "", "prompt": [{"role": "user", "content": "What do you do?"}], "chosen": "Help 2.", "rejected": "Wait 2.", "verdicts": [], "status": "accepted", "reason": "it fits"}');
INSERT INTO "pairs" VALUES('bob-1','run-1','bob',1795465916.5,'value','review','{"id": "bob-1", "run_id": "run-1", "reader_id": "bob", "scenario_id": "s1", "facet": "value", "dimension": "benevolence", "pole": "high", "group": "", "prompt": [{"role": "user", "content": "What do you do?"}], "chosen": "Help 1.", "rejected": "Wait 1.", "verdicts": [], "status": "review", "reason": "the critic''s word"}');
CREATE TABLE readers (
	run_id VARCHAR(64) NOT NULL, 
	reader_id VARCHAR(200) NOT NULL, 
	position INTEGER NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	requested INTEGER NOT NULL, 
	record JSON NOT NULL, 
	profile JSON, 
	starved JSON NOT NULL, 
	failed INTEGER NOT NULL, 
	error TEXT, 
	PRIMARY KEY (run_id, reader_id), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "readers" VALUES('run-1','ana',0,'finished',2,'{"id": "ana", "age": null, "gender": null, "country": null, "locale": null, "favourite_genres": [], "about": "", "reviews": [], "questionnaire": {}, "instruments": {}, "consent": []}',NULL,'{"belief": "nothing is known"}',0,NULL);
INSERT INTO "readers" VALUES('run-1','bob',1,'waiting',2,'{"id": "bob", "age": null, "gender": null, "country": null, "locale": null, "favourite_genres": [], "about": "", "reviews": [], "questionnaire": {}, "instruments": {}, "consent": []}',NULL,'{}',0,NULL);
CREATE TABLE runs (
	id VARCHAR(64) NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	model VARCHAR(200) NOT NULL, 
	settings JSON NOT NULL, 
	skipped JSON NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('run-1',1795465916.5,1.79546667760098361968e+09,'waiting','scripted','{"source": {"readers": "sample", "books": null, "limit": null}, "settings": {}}','["readers.jsonl:3: id: missing"]');
CREATE TABLE spans (
	id VARCHAR(32) NOT NULL, 
	parent_id VARCHAR(32), 
	run_id VARCHAR(64) NOT NULL, 
	reader_id VARCHAR(200), 
	kind VARCHAR(8) NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	started_at DOUBLE NOT NULL, 
	duration_s DOUBLE NOT NULL, 
	tokens_in INTEGER NOT NULL, 
	tokens_out INTEGER NOT NULL, 
	cost_usd FLOAT NOT NULL, 
	error TEXT, 
	call JSON, 
	PRIMARY KEY (id)
);
INSERT INTO "spans" VALUES('span-1',NULL,'run-1','ana','reader','ana',1.5,2.5,0,0,0.0,NULL,'null');
INSERT INTO "spans" VALUES('span-2','span-1','run-1','ana','call','scenario_writer',1.6,0.5,120,80,0.001,NULL,'{"agent": "scenario_writer", "model": "scripted", "prompt": [{"role": "user", "content": "Write a scene."}], "reply": "A quiet scene.", "tokens_in": 120, "tokens_out": 80, "duration_s": 0.5, "cost_usd": 0.001, "error": null}');
CREATE TABLE verifications (
	id INTEGER NOT NULL, 
	reader_id VARCHAR(200) NOT NULL, 
	item VARCHAR(100) NOT NULL, 
	action VARCHAR(16) NOT NULL, 
	score DOUBLE, 
	pole VARCHAR(4), 
	"by" VARCHAR(100) NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "verifications" VALUES(1,'ana','benevolence','correct',60.0,NULL,'ana',3.5);
CREATE INDEX spans_by_run ON spans (run_id, started_at);
CREATE INDEX ix_verifications_reader_id ON verifications (reader_id);
CREATE INDEX pairs_by_run ON pairs (run_id, status);
CREATE INDEX ix_decisions_pair_id ON decisions (pair_id);
COMMIT;
