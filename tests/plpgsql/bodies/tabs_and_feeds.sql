
	DECLARE
		v	int	:=	1;
	BEGIN
		IF	v	=	1	THEN
			RETURN	NEW;
		END	IF;
		RETURN	OLD;
	END	;
	