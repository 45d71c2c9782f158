-- Stand-in for postgis: types, operators and functions have the right names and shapes. A value is the text it was given;
-- type modifiers are forgotten, measures are 0, predicates false. A gist index is one of trigrams, for
-- pg_trgm's functions take any text.

CREATE FUNCTION geometry_typmod_in(cstring[]) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'array_ndims';

CREATE TYPE geometry;
CREATE FUNCTION geometry_in(cstring) RETURNS geometry LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textin';
CREATE FUNCTION geometry_out(geometry) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textout';
CREATE TYPE geometry (INPUT = geometry_in, OUTPUT = geometry_out, TYPMOD_IN = geometry_typmod_in, STORAGE = extended);
CREATE FUNCTION geometry(geometry, integer, boolean) RETURNS geometry LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1';
CREATE CAST (geometry AS geometry) WITH FUNCTION geometry(geometry, integer, boolean) AS IMPLICIT;

CREATE TYPE geography;
CREATE FUNCTION geography_in(cstring) RETURNS geography LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textin';
CREATE FUNCTION geography_out(geography) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textout';
CREATE TYPE geography (INPUT = geography_in, OUTPUT = geography_out, TYPMOD_IN = geometry_typmod_in, STORAGE = extended);
CREATE FUNCTION geography(geography, integer, boolean) RETURNS geography LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1';
CREATE CAST (geography AS geography) WITH FUNCTION geography(geography, integer, boolean) AS IMPLICIT;

CREATE CAST (geometry AS geography) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (geography AS geometry) WITHOUT FUNCTION;
CREATE CAST (text AS geometry) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (geometry AS text) WITHOUT FUNCTION AS IMPLICIT;

-- Its storage must be plain, as that of pg_trgm's own key: the functions below read what they are given as it lies.
CREATE TYPE gist_key;
CREATE FUNCTION gist_key_in(cstring) RETURNS gist_key LANGUAGE C IMMUTABLE STRICT AS '$libdir/pg_trgm', 'gtrgm_in';
CREATE FUNCTION gist_key_out(gist_key) RETURNS cstring LANGUAGE C IMMUTABLE STRICT AS '$libdir/pg_trgm', 'gtrgm_out';
CREATE TYPE gist_key (INTERNALLENGTH = variable, INPUT = gist_key_in, OUTPUT = gist_key_out, STORAGE = plain);
CREATE FUNCTION gist_union(internal, internal) RETURNS gist_key LANGUAGE C IMMUTABLE STRICT
    AS '$libdir/pg_trgm', 'gtrgm_union';
CREATE FUNCTION gist_compress(internal) RETURNS internal LANGUAGE C IMMUTABLE STRICT
    AS '$libdir/pg_trgm', 'gtrgm_compress';
CREATE FUNCTION gist_decompress(internal) RETURNS internal LANGUAGE C IMMUTABLE STRICT
    AS '$libdir/pg_trgm', 'gtrgm_decompress';
CREATE FUNCTION gist_penalty(internal, internal, internal) RETURNS internal LANGUAGE C IMMUTABLE STRICT
    AS '$libdir/pg_trgm', 'gtrgm_penalty';
CREATE FUNCTION gist_picksplit(internal, internal) RETURNS internal LANGUAGE C IMMUTABLE STRICT
    AS '$libdir/pg_trgm', 'gtrgm_picksplit';
CREATE FUNCTION gist_same(gist_key, gist_key, internal) RETURNS internal LANGUAGE C IMMUTABLE STRICT
    AS '$libdir/pg_trgm', 'gtrgm_same';

-- Equality and order are those of the bytes.
CREATE FUNCTION geometry_eq(geometry, geometry) RETURNS boolean
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaeq';
CREATE OPERATOR = (LEFTARG = geometry, RIGHTARG = geometry, FUNCTION = geometry_eq, COMMUTATOR = =);
CREATE FUNCTION geometry_lt(geometry, geometry) RETURNS boolean
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bytealt';
CREATE OPERATOR < (LEFTARG = geometry, RIGHTARG = geometry, FUNCTION = geometry_lt, COMMUTATOR = >);
CREATE FUNCTION geometry_le(geometry, geometry) RETURNS boolean
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteale';
CREATE OPERATOR <= (LEFTARG = geometry, RIGHTARG = geometry, FUNCTION = geometry_le, COMMUTATOR = >=);
CREATE FUNCTION geometry_gt(geometry, geometry) RETURNS boolean
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteagt';
CREATE OPERATOR > (LEFTARG = geometry, RIGHTARG = geometry, FUNCTION = geometry_gt, COMMUTATOR = <);
CREATE FUNCTION geometry_ge(geometry, geometry) RETURNS boolean
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteage';
CREATE OPERATOR >= (LEFTARG = geometry, RIGHTARG = geometry, FUNCTION = geometry_ge, COMMUTATOR = <=);
CREATE FUNCTION geometry_cmp(geometry, geometry) RETURNS integer
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteacmp';
CREATE FUNCTION geometry_hash(geometry) RETURNS integer
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE OPERATOR CLASS btree_geometry_ops DEFAULT FOR TYPE geometry USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 geometry_cmp(geometry, geometry);
CREATE OPERATOR CLASS hash_geometry_ops DEFAULT FOR TYPE geometry USING hash AS OPERATOR 1 =, FUNCTION 1 geometry_hash(geometry);
CREATE FUNCTION geometry_overlaps(geometry, geometry) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION geometry_distance(geometry, geometry) RETURNS float8
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT 0::float8';
CREATE OPERATOR && (LEFTARG = geometry, RIGHTARG = geometry, FUNCTION = geometry_overlaps, COMMUTATOR = &&);
CREATE OPERATOR <-> (LEFTARG = geometry, RIGHTARG = geometry, FUNCTION = geometry_distance, COMMUTATOR = <->);
CREATE FUNCTION geometry_gist_consistent(internal, geometry, smallint, oid, internal) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT AS '$libdir/pg_trgm', 'gtrgm_consistent';
CREATE OPERATOR CLASS gist_geometry_ops_2d DEFAULT FOR TYPE geometry USING gist AS
    OPERATOR 3 &&, FUNCTION 1 geometry_gist_consistent(internal, geometry, smallint, oid, internal),
    FUNCTION 2 gist_union(internal, internal), FUNCTION 3 gist_compress(internal), FUNCTION 4 gist_decompress(internal),
    FUNCTION 5 gist_penalty(internal, internal, internal), FUNCTION 6 gist_picksplit(internal, internal),
    FUNCTION 7 gist_same(gist_key, gist_key, internal), STORAGE gist_key;

CREATE FUNCTION geography_eq(geography, geography) RETURNS boolean
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaeq';
CREATE OPERATOR = (LEFTARG = geography, RIGHTARG = geography, FUNCTION = geography_eq, COMMUTATOR = =);
CREATE FUNCTION geography_lt(geography, geography) RETURNS boolean
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bytealt';
CREATE OPERATOR < (LEFTARG = geography, RIGHTARG = geography, FUNCTION = geography_lt, COMMUTATOR = >);
CREATE FUNCTION geography_le(geography, geography) RETURNS boolean
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteale';
CREATE OPERATOR <= (LEFTARG = geography, RIGHTARG = geography, FUNCTION = geography_le, COMMUTATOR = >=);
CREATE FUNCTION geography_gt(geography, geography) RETURNS boolean
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteagt';
CREATE OPERATOR > (LEFTARG = geography, RIGHTARG = geography, FUNCTION = geography_gt, COMMUTATOR = <);
CREATE FUNCTION geography_ge(geography, geography) RETURNS boolean
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteage';
CREATE OPERATOR >= (LEFTARG = geography, RIGHTARG = geography, FUNCTION = geography_ge, COMMUTATOR = <=);
CREATE FUNCTION geography_cmp(geography, geography) RETURNS integer
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteacmp';
CREATE FUNCTION geography_hash(geography) RETURNS integer
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE OPERATOR CLASS btree_geography_ops DEFAULT FOR TYPE geography USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 geography_cmp(geography, geography);
CREATE OPERATOR CLASS hash_geography_ops DEFAULT FOR TYPE geography USING hash AS OPERATOR 1 =, FUNCTION 1 geography_hash(geography);
CREATE FUNCTION geography_overlaps(geography, geography) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION geography_distance(geography, geography) RETURNS float8
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT 0::float8';
CREATE OPERATOR && (LEFTARG = geography, RIGHTARG = geography, FUNCTION = geography_overlaps, COMMUTATOR = &&);
CREATE OPERATOR <-> (LEFTARG = geography, RIGHTARG = geography, FUNCTION = geography_distance, COMMUTATOR = <->);
CREATE FUNCTION geography_gist_consistent(internal, geography, smallint, oid, internal) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT AS '$libdir/pg_trgm', 'gtrgm_consistent';
CREATE OPERATOR CLASS gist_geography_ops DEFAULT FOR TYPE geography USING gist AS
    OPERATOR 3 &&, FUNCTION 1 geography_gist_consistent(internal, geography, smallint, oid, internal),
    FUNCTION 2 gist_union(internal, internal), FUNCTION 3 gist_compress(internal), FUNCTION 4 gist_decompress(internal),
    FUNCTION 5 gist_penalty(internal, internal, internal), FUNCTION 6 gist_picksplit(internal, internal),
    FUNCTION 7 gist_same(gist_key, gist_key, internal), STORAGE gist_key;

CREATE TABLE spatial_ref_sys (
    srid integer PRIMARY KEY, auth_name varchar(256), auth_srid integer, srtext varchar(2048), proj4text varchar(2048)
);
GRANT SELECT ON spatial_ref_sys TO PUBLIC;

CREATE FUNCTION postgis_version() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT '3.3'::text$$;
CREATE FUNCTION postgis_full_version() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT '3.3'::text$$;

CREATE FUNCTION st_point(float8, float8) RETURNS geometry
   
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT pg_catalog.concat('POINT(', $1, ' ', $2, ')')::@extschema@.geometry$$;
CREATE FUNCTION st_makepoint(float8, float8) RETURNS geometry
   
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT pg_catalog.concat('POINT(', $1, ' ', $2, ')')::@extschema@.geometry$$;
CREATE FUNCTION st_point(float8, float8, integer) RETURNS geometry
   
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT pg_catalog.concat('POINT(', $1, ' ', $2, ')')::@extschema@.geometry$$;
CREATE FUNCTION st_makepoint(float8, float8, float8) RETURNS geometry
   
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT pg_catalog.concat('POINT(', $1, ' ', $2, ' ', $3, ')')::@extschema@.geometry$$;
CREATE FUNCTION st_makeenvelope(float8, float8, float8, float8, integer DEFAULT 0) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::@extschema@.geometry$$;
CREATE FUNCTION st_tileenvelope(integer, integer, integer) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::@extschema@.geometry$$;
CREATE FUNCTION st_geomfromtext(text, integer DEFAULT 0) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geometry';
CREATE FUNCTION st_geometryfromtext(text, integer DEFAULT 0) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geometry';
CREATE FUNCTION st_polygonfromtext(text, integer DEFAULT 0) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geometry';
CREATE FUNCTION st_pointfromtext(text, integer DEFAULT 0) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geometry';
CREATE FUNCTION st_linefromtext(text, integer DEFAULT 0) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geometry';
CREATE FUNCTION st_geomfromewkt(text) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geometry';
CREATE FUNCTION st_geomfromgeojson(text) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geometry';
CREATE FUNCTION st_multipolygonfromtext(text, integer DEFAULT 0) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geometry';
CREATE FUNCTION st_geomfromgeojson(jsonb) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::@extschema@.geometry$$;
CREATE FUNCTION st_geomfromgeojson(json) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::@extschema@.geometry$$;
CREATE FUNCTION st_geomfromwkb(bytea, integer DEFAULT 0) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::@extschema@.geometry$$;
CREATE FUNCTION st_geogfromtext(text) RETURNS geography
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geography';
CREATE FUNCTION st_geographyfromtext(text) RETURNS geography
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geography';
CREATE FUNCTION st_setsrid(geometry, integer) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_transform(geometry, integer) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_centroid(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_envelope(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_makevalid(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_convexhull(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_boundary(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_startpoint(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_endpoint(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_reverse(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_pointonsurface(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_force2d(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_force3d(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_multi(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_flipcoordinates(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_exteriorring(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_makepolygon(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_linemerge(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_normalize(geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_centroid(geography, boolean DEFAULT true) RETURNS geography
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_simplify(geometry, float8) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_simplifypreservetopology(geometry, float8) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_snaptogrid(geometry, float8) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_segmentize(geometry, float8) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_expand(geometry, float8) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_lineinterpolatepoint(geometry, float8) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_buffer(geometry, float8) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_buffer(geometry, float8, integer) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_buffer(geometry, float8, text) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_buffer(geography, float8) RETURNS geography LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_buffer(geography, float8, integer) RETURNS geography
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_buffer(geography, float8, text) RETURNS geography
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_project(geography, float8, float8) RETURNS geography
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_makeline(geometry, geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_intersection(geometry, geometry) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_difference(geometry, geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_symdifference(geometry, geometry) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_closestpoint(geometry, geometry) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_shortestline(geometry, geometry) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_union(geometry, geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_collect(geometry, geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_makeline(geometry[]) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1[1]';
CREATE FUNCTION st_union(geometry[]) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1[1]';
CREATE FUNCTION st_collect(geometry[]) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1[1]';
CREATE FUNCTION st_intersection(geography, geography) RETURNS geography
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_geometryn(geometry, integer) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_pointn(geometry, integer) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_interiorringn(geometry, integer) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_collectionextract(geometry, integer) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION st_x(geometry) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_y(geometry) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_z(geometry) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_xmin(geometry) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_xmax(geometry) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_ymin(geometry) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_ymax(geometry) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_area(geometry) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_length(geometry) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_perimeter(geometry) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_area(geography, boolean DEFAULT true) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_length(geography, boolean DEFAULT true) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_perimeter(geography, boolean DEFAULT true) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_distance(geometry, geometry) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_azimuth(geometry, geometry) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_maxdistance(geometry, geometry) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_hausdorffdistance(geometry, geometry) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_linelocatepoint(geometry, geometry) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_distancesphere(geometry, geometry) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_distance_sphere(geometry, geometry) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_distancespheroid(geometry, geometry) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_distance(geography, geography, boolean DEFAULT true) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_azimuth(geography, geography) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::float8';
CREATE FUNCTION st_within(geometry, geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_contains(geometry, geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_intersects(geometry, geometry) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_overlaps(geometry, geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_touches(geometry, geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_crosses(geometry, geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_covers(geometry, geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_coveredby(geometry, geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_equals(geometry, geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_disjoint(geometry, geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_containsproperly(geometry, geometry) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_intersects(geography, geography) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_covers(geography, geography) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_coveredby(geography, geography) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_dwithin(geometry, geometry, float8) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_dwithin(geography, geography, float8, boolean DEFAULT true) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_isvalid(geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT true';
CREATE FUNCTION st_isempty(geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_isclosed(geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_issimple(geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_isring(geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false';
CREATE FUNCTION st_srid(geometry) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0';
CREATE FUNCTION st_npoints(geometry) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0';
CREATE FUNCTION st_numpoints(geometry) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0';
CREATE FUNCTION st_numgeometries(geometry) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0';
CREATE FUNCTION st_dimension(geometry) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0';
CREATE FUNCTION st_ndims(geometry) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0';
CREATE FUNCTION st_srid(geography) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0';
CREATE FUNCTION st_astext(geometry) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::text';
CREATE FUNCTION st_astext(geography) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geometry::text';
CREATE FUNCTION st_asewkt(geometry) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::text';
CREATE FUNCTION st_asewkt(geography) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::@extschema@.geometry::text';
CREATE FUNCTION st_astext(geometry, integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1::text';
CREATE FUNCTION st_asgeojson(geometry, integer DEFAULT 9, integer DEFAULT 8) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT '{}'::text$$;
CREATE FUNCTION st_asgeojson(geography, integer DEFAULT 9, integer DEFAULT 0) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT '{}'::text$$;
CREATE FUNCTION st_geometrytype(geometry) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::text$$;
CREATE FUNCTION geometrytype(geometry) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::text$$;
CREATE FUNCTION st_isvalidreason(geometry) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::text$$;
CREATE FUNCTION st_geohash(geometry) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::text$$;
CREATE FUNCTION st_asencodedpolyline(geometry) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::text$$;
CREATE FUNCTION st_aslatlontext(geometry) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::text$$;
CREATE FUNCTION st_geohash(geometry, integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::text$$;
CREATE FUNCTION st_asbinary(geometry) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::bytea$$;
CREATE FUNCTION st_asewkb(geometry) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::bytea$$;
CREATE FUNCTION st_ashexewkb(geometry) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT ''::text$$;
CREATE FUNCTION st_asmvtgeom(geometry, geometry, integer DEFAULT 4096, integer DEFAULT 256, boolean DEFAULT true) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';

CREATE FUNCTION geometry_first(geometry, geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT coalesce($1, $2)';
CREATE AGGREGATE st_union(geometry) (SFUNC = geometry_first, STYPE = geometry);
CREATE AGGREGATE st_collect(geometry) (SFUNC = geometry_first, STYPE = geometry);
CREATE AGGREGATE st_makeline(geometry) (SFUNC = geometry_first, STYPE = geometry);
CREATE AGGREGATE st_extent(geometry) (SFUNC = geometry_first, STYPE = geometry);
CREATE AGGREGATE st_memunion(geometry) (SFUNC = geometry_first, STYPE = geometry);
CREATE AGGREGATE st_polygonize(geometry) (SFUNC = geometry_first, STYPE = geometry);
