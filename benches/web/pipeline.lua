-- Sixteen requests at once on each connection.
init = function()
    local requests = {}
    for i = 1, 16 do requests[i] = wrk.format(nil, wrk.path) end
    all = table.concat(requests)
end
request = function() return all end
