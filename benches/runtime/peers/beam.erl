%% The same measurements on the BEAM. Usage: erl -noshell -pa DIR -run beam main MODE COUNT
-module(beam).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2]).

main([Mode, Count]) ->
    measure(Mode, list_to_integer(Count)),
    halt().

print(Name, Value) -> io:format("~s ~w~n", [Name, Value]).

per_second(Count, Work) ->
    {Micros, _} = timer:tc(Work),
    Count * 1000000 / max(Micros, 1).

measure("idle_bytes", Count) ->
    Before = resident(),
    Pids = [spawn(fun idle/0) || _ <- lists:seq(1, Count)],
    After = resident(),
    print("idle_bytes", (After - Before - 16 * Count) / Count),
    length(Pids);
measure("spawn_exit", Count) ->
    print("spawn_exit", per_second(Count, fun() -> spawn_exit(Count div 100) end));
measure("call_local", Count) ->
    {ok, Pid} = gen_server:start_link(?MODULE, [], []),
    print("call_local", per_second(Count, fun() -> calls(Pid, Count) end));
measure("call_cross_100", Count) ->
    {ok, Pid} = gen_server:start_link(?MODULE, [], []),
    Self = self(),
    Share = Count div 100,
    print("call_cross_100", per_second(Count, fun() ->
        [spawn(fun() -> calls(Pid, Share), Self ! done end) || _ <- lists:seq(1, 100)],
        [receive done -> ok end || _ <- lists:seq(1, 100)]
    end));
measure("ring", Hops) ->
    Self = self(),
    First = spawn(fun() -> receive {next, Next} -> ring_node(Next, Self) end end),
    Last = lists:foldl(fun(_, Next) -> spawn(fun() -> ring_node(Next, Self) end) end, First, lists:seq(2, 1000)),
    First ! {next, Last},
    print("ring", per_second(Hops, fun() -> First ! Hops, receive done -> ok end end)).

idle() -> receive stop -> ok end.

%% In batches, as ours does: spawned, watched, ended, and known to be down.
spawn_exit(0) -> ok;
spawn_exit(Batches) ->
    [begin {Pid, _} = spawn_monitor(fun idle/0), exit(Pid, kill) end || _ <- lists:seq(1, 100)],
    [receive {'DOWN', _, _, _, _} -> ok end || _ <- lists:seq(1, 100)],
    spawn_exit(Batches - 1).

calls(_, 0) -> ok;
calls(Pid, Left) ->
    _ = gen_server:call(Pid, {get, Left}),
    calls(Pid, Left - 1).

ring_node(Next, Judge) ->
    receive
        0 -> Judge ! done;
        Left -> Next ! Left - 1, ring_node(Next, Judge)
    end.

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = string:lexemes(binary_to_list(Text), " "),
    list_to_integer(Pages) * 4096.

init([]) -> {ok, 0}.
handle_call({get, Value}, _, State) -> {reply, Value + 1, State}.
handle_cast(_, State) -> {noreply, State}.
