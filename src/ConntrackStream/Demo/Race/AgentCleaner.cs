using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>One of the agent's algorithms, run twice with an interval between: that is one turn of the snapshot, and two misses.</summary>
internal sealed class AgentCleaner : IRaceCleaner
{
    private readonly Func<IFlowMap, ConntrackClient, Action> _make;
    private readonly TimeProvider _time;
    private IFlowMap? _map;
    private ConntrackClient? _table;
    private Action? _run;

    private AgentCleaner(string name, Func<IFlowMap, ConntrackClient, Action> make, TimeProvider time) =>
        (Name, _make, _time) = (name, make, time);

    public string Name { get; }

    internal static AgentCleaner Snapshot(TimeProvider time) => new("snapshot", static (map, table) =>
    {
        SnapshotCleaner cleaner = new(map, table);
        return () => cleaner.Run();
    }, time);

    internal static AgentCleaner TwoMiss(TimeProvider time) => new("two-miss", static (map, table) =>
    {
        TwoMissCleaner cleaner = new(map, table);
        return () => cleaner.Run();
    }, time);

    public Task StartAsync(RaceNode node, TupleReuse reuse, CancellationToken cancellationToken)
    {
        _map = new RaceMap(node.OpenMap(), reuse);
        _table = node.OpenTable();
        _run = _make(_map, _table);
        return Task.CompletedTask;
    }

    public async Task CleanAsync(CancellationToken cancellationToken)
    {
        _run!();
        await Task.Delay(RaceOptions.Interval, _time, cancellationToken);
        _run();
    }

    public ValueTask DisposeAsync()
    {
        _map?.Dispose();
        _table?.Dispose();
        return ValueTask.CompletedTask;
    }
}
