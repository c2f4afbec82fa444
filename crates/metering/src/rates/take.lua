-- Takes cells and slots of one organisation, all or none, and corrects them afterwards. The arithmetic is that of cell.rs.
--
-- ARGV: mode ("take": all or none; "set": without asking), the pass's id, the lease in microseconds, then for each key
--   c limit cost carried   a cell: pieces a minute, pieces to take (below zero: to give back), what a node took while it was alone
--   s limit cost           slots: how many there are; 1 takes or keeps one, 0 gives it back
-- Answer: granted (1 or 0), then for each key what is owed, or how many slots are taken, afterwards.
local MINUTE, LONGEST = 60000000, 60
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local ask, pass, lease = ARGV[1] == 'take', ARGV[2], tonumber(ARGV[3])
local cells, granted, next = {}, 1, 4
for i, key in ipairs(KEYS) do
  local cell = { kind = ARGV[next], limit = tonumber(ARGV[next + 1]), cost = tonumber(ARGV[next + 2]) }
  if cell.kind == 'c' then
    cell.carried = tonumber(ARGV[next + 3])
    next = next + 4
    local owed, at = 0, now
    local held = redis.call('GET', key)
    if held then
      owed, at = held:match('^(%d+) (%d+)$')
      owed, at = tonumber(owed), tonumber(at)
    end
    owed = math.max(0, owed - math.max(0, now - at) * cell.limit)
    -- What a node that was alone took fills the cell at most: part of it may be counted here already.
    cell.owed = math.max(owed, math.min(owed + cell.carried, cell.limit * MINUTE))
    if ask and cell.cost > 0 and cell.owed + cell.cost * MINUTE > cell.limit * MINUTE then granted = 0 end
  else
    next = next + 3
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    cell.taken = redis.call('ZCARD', key)
    if ask and cell.cost > 0 and cell.taken >= cell.limit then granted = 0 end
  end
  cells[i] = cell
end
local answer = { granted }
for i, key in ipairs(KEYS) do
  local cell = cells[i]
  if cell.kind == 'c' then
    if granted == 1 then cell.owed = math.max(0, cell.owed + cell.cost * MINUTE) end
    cell.owed = math.min(cell.owed, cell.limit * MINUTE * LONGEST)
    if cell.owed > 0 then
      local empty_in = math.ceil(cell.owed / cell.limit / 1000) + 1
      redis.call('SET', key, string.format('%.0f %.0f', cell.owed, now), 'PX', empty_in)
    else
      redis.call('DEL', key)
    end
    answer[i + 1] = string.format('%.0f', cell.owed)
  else
    if granted == 1 and cell.cost > 0 then
      redis.call('ZADD', key, now + lease, pass)
      redis.call('PEXPIRE', key, math.ceil(lease / 1000) + 1000)
    elseif cell.cost == 0 then
      redis.call('ZREM', key, pass)
    end
    answer[i + 1] = string.format('%.0f', redis.call('ZCARD', key))
  end
end
return answer
