-- Bitmaps are Roaring's in the portable format. One holds the lower halves of ordinals and has at most one container, so that telling
-- whether a number is in it is little work here too. All else of them is done by nodes.

-- Whether a bitmap holds a number below 65536.
CREATE OR REPLACE FUNCTION has_member(p_bits bytea, p_low integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  -- Read once: a large one is stored apart, and each look at the parameter would fetch it.
  v_bits bytea := p_bits || ''::bytea;
  v_runs boolean := get_byte(v_bits, 0) = 59;
  -- Where the container begins, and how many entries of how many bytes it has.
  v_start integer;
  v_width integer := 2;
  v_first integer := 0;
  v_after integer;
  v_middle integer;
  v_value integer;
BEGIN
  IF v_runs THEN
    IF get_byte(v_bits, 4) & 1 = 0 THEN
      -- A container without runs in a bitmap that has this header all the same.
      v_start := 9;
      v_after := get_byte(v_bits, 7) + get_byte(v_bits, 8) * 256 + 1;
    ELSE
      v_start := 11;
      v_width := 4;
      v_after := get_byte(v_bits, 9) + get_byte(v_bits, 10) * 256;
    END IF;
  ELSE
    IF get_byte(v_bits, 4) = 0 THEN
      RETURN false;
    END IF;
    v_start := 16;
    v_after := get_byte(v_bits, 10) + get_byte(v_bits, 11) * 256 + 1;
  END IF;
  IF v_width = 2 AND v_after > 4096 THEN
    RETURN get_byte(v_bits, v_start + p_low / 8) >> (p_low % 8) & 1 = 1;
  END IF;
  -- The last entry that does not begin beyond it.
  WHILE v_first < v_after LOOP
    v_middle := (v_first + v_after) / 2;
    v_value := get_byte(v_bits, v_start + v_middle * v_width) + get_byte(v_bits, v_start + v_middle * v_width + 1) * 256;
    IF v_value <= p_low THEN
      v_first := v_middle + 1;
    ELSE
      v_after := v_middle;
    END IF;
  END LOOP;
  IF v_first = 0 THEN
    RETURN false;
  END IF;
  v_middle := v_start + (v_first - 1) * v_width;
  v_value := get_byte(v_bits, v_middle) + get_byte(v_bits, v_middle + 1) * 256;
  IF v_width = 4 THEN
    RETURN p_low <= v_value + get_byte(v_bits, v_middle + 2) + get_byte(v_bits, v_middle + 3) * 256;
  END IF;
  RETURN p_low = v_value;
END
$$;
