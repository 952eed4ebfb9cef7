using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>
/// One run: a pipeline that keeps a map clean on the real kernel, random traffic, and a model that knows what must be in the map.
/// </summary>
internal sealed partial class SoakRun : IAsyncDisposable
{
    private const uint Capacity = 1 << 18; // far more than is ever in the map: nothing is evicted
    private const int Messages = 4; // batches of events between reader and loop
    private const int OverrunEvents = 5_000; // more than buffer and batches hold
    private const int Progress = 15_000; // lifetimes between two words of it
    private const int MostTombstones = 8_000; // from there on the traffic waits

    private readonly SoakOptions _options;
    private readonly SoakNode _node;
    private readonly NetworkNamespace _namespace;
    private readonly KernelSource _source;
    private readonly MapCleaner _cleaning;
    private readonly FlowPipeline _pipeline;
    private readonly SoakModel _model;
    private readonly SoakDriver _driver;
    private readonly AuditLog _audits;
    private WatchedMap? _watched;
    private MapObserver? _observer;

    public SoakRun(SoakOptions options)
    {
        _options = options;
        _node = new SoakNode(Capacity, options.Timeout, options.HeldFor);
        _model = new SoakModel(_node, options.Tuples);
        _driver = new SoakDriver(_node, _model, options);
        _namespace = NetworkNamespace.OpenName(_node.Space.Name);
        TapOptions tap = new() { Namespace = _namespace, ReceiveBufferBytes = options.ReceiveBuffer };
        _source = new KernelSource(
            tap,
            TimeProvider.System,
            NullLoggerFactory.Instance,
            Messages,
            () => TapSocket.Open(tap, TimeProvider.System, NullLogger.Instance));
        MapOptions map = new()
        {
            Open = () => _watched = new WatchedMap(EbpfFlowMap.Open(_node.Pin, forDeleting: true), _model),
            Mode = MapMode.Delete,
            Grace = options.Grace,
            ArmedWindow = options.ArmedWindow,
            TcpPatience = TimeSpan.Zero, // a timer that has run out is an end
            UdpPatience = TimeSpan.Zero,
        };
        MapLevers levers = options.Levers with { Before = _driver.Provoke };
        _cleaning = new MapCleaner(map, MapKernel.Of(_namespace, NullLogger.Instance), NullLogger.Instance, levers);
        PipelineOptions pipeline =
            new() { AuditInterval = options.AuditInterval, Random = new Random(options.Seed + 2), Stages = [_cleaning] };
        _pipeline = new FlowPipeline(_source.Source, [], pipeline, TimeProvider.System, new NullLogger<FlowPipeline>());
        _audits = new AuditLog(_cleaning);
    }

    public async Task<SoakResult> RunAsync()
    {
        CancellationToken cancelled = TestContext.Current.CancellationToken;
        long began = SoakClock.Now;
        await _pipeline.StartAsync(cancelled);
        await _source.Tap.StartAsync(cancelled);
        await _pipeline.FirstSync.WaitAsync(TimeSpan.FromSeconds(60), cancelled);
        _observer = new MapObserver(_node.Pin, _model, _audits, _options.Grace, () => Tap.Overruns + Tap.Lost);
        long nextOverrun = _options.Overrun / 2, nextCheckpoint = _options.Checkpoint, nextProgress = Progress;
        int checkpoints = 0;
        while (_model.Counts.Lifetimes < _options.Lifetimes && FalseDeletes.Count == 0 && _observer.GoneEarly.IsEmpty)
        {
            long next = SoakClock.Now, before = _model.Counts.Lifetimes;
            _driver.Step(isHeldUp: false);
            next += (_model.Counts.Lifetimes - before) * 1_000_000_000 / _options.Rate;
            await RestAsync(next, cancelled);
            if (_model.Counts.Lifetimes >= nextOverrun)
            {
                await OverrunAsync();
                nextOverrun = _model.Counts.Lifetimes + _options.Overrun;
            }

            if (_model.Counts.Lifetimes >= nextProgress)
            {
                Tell("");
                nextProgress = _model.Counts.Lifetimes + Progress;
            }

            if (_model.Counts.Lifetimes < nextCheckpoint)
                continue;
            if (++checkpoints % _options.Flush == 0)
                _driver.Flush();
            await CheckAsync(cancelled);
            nextCheckpoint = _model.Counts.Lifetimes + _options.Checkpoint;
        }

        if (_observer.GoneEarly.IsEmpty)
            await CheckAsync(cancelled);
        _observer.Stop();
        foreach (SoakEntry entry in _observer.GoneEarly)
            AddFault(
                entry, $"the entry of a deleted flow went before its time", $"stale for {(SoakClock.Now - entry.StaleSince) / 1e6:F0} ms");
        return SoakResult.Of(this, checkpoints + 1, SoakClock.Now - began);
    }

    public SoakOptions Options => _options;

    public SoakCounts Counts => _model.Counts;

    public long Looks => _driver.Looks;

    public MapCounters Map => _cleaning.Status.Counters;

    public MapStatus Status => _cleaning.Status;

    public TapCounters Tap => _source.Tap.Counters;

    public MapObserver Observer => _observer!;

    public WatchedMap Watched => _watched!;

    public async ValueTask DisposeAsync()
    {
        _observer?.Dispose();
        await _source.Tap.StopAsync();
        await _pipeline.DisposeAsync();
        await _source.DisposeAsync();
        _namespace.Dispose();
        _node.Dispose();
    }

    /// <summary>Keeps the rate, and lets the stage follow where the machine cannot.</summary>
    private async Task RestAsync(long until, CancellationToken cancelled)
    {
        while (SoakClock.Now < until || Status.Tombstones > MostTombstones)
        {
            _driver.KeepAlive();
            await Task.Delay(1, cancelled);
        }
    }

    /// <summary>Holds the loop up while the traffic goes on, until more events wait than there is room for.</summary>
    private async Task OverrunAsync()
    {
        _driver.Rest();
        _driver.Settle();
        using ManualResetEventSlim gate = new();
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task held = _pipeline.RunOnLoopAsync(() =>
        {
            entered.SetResult();
            gate.Wait(TimeSpan.FromSeconds(60));
        });
        while (!entered.Task.IsCompleted)
        {
            _driver.KeepAlive();
            await Task.Delay(1);
        }

        long before = Events();
        while (Events() < before + OverrunEvents)
            _driver.Step(isHeldUp: true);
        gate.Set();
        await held;
    }

    private long Events() => (2 * Counts.Lifetimes) - _model.Open.Count;

    private void Tell(string where)
    {
        string map = $"{Map.Deleted:N0} entries taken, {Map.Restored:N0} put back, {Map.Audits} audits";
        _options.Progress?.Invoke($"{Counts.Lifetimes:N0} lifetimes, {_model.Open.Count:N0} alive, {Tap.Overruns} overruns, {map}{where}");
    }
}
