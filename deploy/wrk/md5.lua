-- MD5 (RFC 1321) for LuaJIT, which wrk embeds: only for the signature of a request, once a second.

local bit = require("bit")
local band, bor, bxor, bnot, rol, tobit, tohex = bit.band, bit.bor, bit.bxor, bit.bnot, bit.rol, bit.tobit, bit.tohex

local constants, shifts = {}, { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } }
for i = 1, 64 do constants[i] = tobit(math.floor(math.abs(math.sin(i)) * 4294967296)) end

local function word(text, at)
    local a, b, c, d = text:byte(at, at + 3)
    return bor(a, bit.lshift(b, 8), bit.lshift(c, 16), bit.lshift(d, 24))
end

local function block(text, at, A, B, C, D)
    local words = {}
    for i = 0, 15 do words[i] = word(text, at + 4 * i) end
    local a, b, c, d = A, B, C, D
    for i = 0, 63 do
        local round, f, g = math.floor(i / 16), nil, nil
        if round == 0 then f, g = bor(band(b, c), band(bnot(b), d)), i
        elseif round == 1 then f, g = bor(band(d, b), band(bnot(d), c)), (5 * i + 1) % 16
        elseif round == 2 then f, g = bxor(b, c, d), (3 * i + 5) % 16
        else f, g = bxor(c, bor(b, bnot(d))), (7 * i) % 16 end
        local turned = rol(tobit(a + f + constants[i + 1] + words[g]), shifts[round + 1][i % 4 + 1])
        a, d, c, b = d, c, b, tobit(b + turned)
    end
    return tobit(A + a), tobit(B + b), tobit(C + c), tobit(D + d)
end

local function hex(value) return tohex(bit.bswap(value)) end

-- The digest of a string as 32 lower-case hexadecimal digits.
return function(text)
    local bits = #text * 8
    local length = {}
    for i = 0, 7 do length[i + 1] = string.char(math.floor(bits / 256 ^ i) % 256) end
    local padded = text .. "\128" .. string.rep("\0", (55 - #text) % 64) .. table.concat(length)
    local a, b, c, d = tobit(0x67452301), tobit(0xefcdab89), tobit(0x98badcfe), tobit(0x10325476)
    for at = 1, #padded, 64 do a, b, c, d = block(padded, at, a, b, c, d) end
    return hex(a) .. hex(b) .. hex(c) .. hex(d)
end
