namespace ConntrackStream.Service.Demo.Race;

/// <summary>
/// One cleaner on a node of its own. A round: connections are opened and closed in order; their entries are stale once the kernel's table
/// has let go of them; the cleaner cleans, while the pod uses half of the tuples again; then every server pushes to its quiet client.
/// </summary>
internal sealed class RaceLane(IRaceCleaner cleaner, RaceOptions options, Action<string> report, TimeProvider time) : IAsyncDisposable
{
    private const int QuietTcp = 6, QuietUdp = 2;
    private const ushort FirstQuietPort = 10_000, FirstPort = 20_000;

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan ExpiryPatience = TimeSpan.FromSeconds(20);

    private readonly RaceNode _node = new(time);
    private readonly Random _random = new(options.Seed); // the same for each cleaner
    private readonly List<RaceConnection> _quiet = [];
    private TupleReuse _reuse = null!;

    /// <exception cref="IOException">A connection could not be made.</exception>
    /// <exception cref="TimeoutException">A closed connection did not leave the kernel's table.</exception>
    internal async Task<RaceResult> RunAsync(CancellationToken cancellationToken)
    {
        _reuse = new TupleReuse(_node, !options.IsNatural, time);
        for (int i = 0; i < QuietTcp + QuietUdp; i++)
        {
            ushort port = (ushort)(FirstQuietPort + i);
            RaceConnection quiet = i < QuietTcp ? _node.ConnectTcp(port) : _node.ConnectUdp(port);
            _quiet.Add(quiet);
            quiet.Talk();
        }

        await cleaner.StartAsync(_node, _reuse, cancellationToken);
        for (int round = 0; round < options.Rounds; round++)
            await RunRoundAsync(round, cancellationToken);
        return Sum();
    }

    public async ValueTask DisposeAsync()
    {
        await cleaner.DisposeAsync();
        foreach (RaceConnection connection in Live)
            connection.Dispose();
        _node.Dispose();
    }

    private IEnumerable<RaceConnection> Live =>
        _quiet.Concat((_reuse?.All ?? []).Select(static tuple => tuple.Reuse).OfType<RaceConnection>());

    private async Task RunRoundAsync(int round, CancellationToken cancellationToken)
    {
        RaceTuple[] tuples = OpenAndClose(round);
        await AwaitExpiryAsync(tuples, cancellationToken);
        Task reuse = options.IsNatural
            ? _reuse.RunAsync(tuples, 2 * RaceOptions.Interval, _random, cancellationToken)
            : Task.CompletedTask;
        await Task.WhenAll(cleaner.CleanAsync(cancellationToken), reuse);
        _reuse.ThrowIfFailed();
        RacePushes pushes = new(_node, time);
        int cut = await pushes.JudgeAsync([.. Live], cancellationToken);
        int used = tuples.Count(static tuple => tuple.Reuse is not null);
        int gone = tuples.Count(tuple => tuple.Reuse is null && !_node.HasEntry(tuple.Key));
        report($"{cleaner.Name}: round {round + 1} of {options.Rounds}: {tuples.Length} closed, {used} used again, "
            + $"{gone} of {tuples.Length - used} stale entries removed, {cut} live connections cut");
    }

    /// <summary>Every other one is reset, the others are closed by FIN both ways.</summary>
    private RaceTuple[] OpenAndClose(int round)
    {
        int[] order = [.. Enumerable.Range(0, options.Connections)];
        _random.Shuffle(order);
        RaceTuple[] tuples = new RaceTuple[options.Connections];
        for (int i = 0; i < tuples.Length; i++)
        {
            RaceConnection connection = _node.ConnectTcp((ushort)(FirstPort + (round * options.Connections) + i));
            bool isReset = i % 2 == 0;
            connection.Talk();
            if (isReset)
                connection.Reset();
            else
                connection.Close();
            tuples[i] = new RaceTuple(connection.Key, isReset, isToBeReused: order[i] < options.Connections / 2, time.GetTimestamp());
            _reuse.Add(tuples[i]);
        }

        return tuples;
    }

    private async Task AwaitExpiryAsync(RaceTuple[] tuples, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            foreach (RaceTuple tuple in tuples.Where(static tuple => tuple is { GoneAt: null, Reuse: null }))
            {
                if (!_node.IsTracked(tuple.Key))
                    tuple.GoneAt = time.GetTimestamp();
            }

            if (tuples.All(static tuple => tuple is not { GoneAt: null, Reuse: null }))
                return;
            if (time.GetElapsedTime(start) > ExpiryPatience)
                throw new TimeoutException($"a closed connection was in the kernel's table for more than {ExpiryPatience.TotalSeconds} s");
            await Task.Delay(Glance, time, cancellationToken);
        }
    }

    private RaceResult Sum()
    {
        RaceTuple[] stale = [.. _reuse.All.Where(static tuple => tuple.Reuse is null)];
        RaceConnection[] cut = [.. Live.Where(static connection => connection.TimedOutAt is not null)];
        RaceTuple? example = _reuse.All.Where(static tuple => tuple.Reuse?.TimedOutAt is not null).MinBy(static tuple => tuple.Port);
        return new RaceResult
        {
            Cleaner = cleaner.Name,
            Stale = stale.Length,
            StaleRemoved = stale.Count(tuple => !_node.HasEntry(tuple.Key)),
            Reused = _reuse.All.Count() - stale.Length,
            Live = Live.Count(),
            Cut = cut.Length,
            CutWhileTracked = cut.Count(static connection => connection.WasTracked),
            Recovered = cut.Count(static connection => connection.RecoveredAt is not null),
            Restored = _reuse.Restored,
            LongestAbsence = _reuse.LongestAbsence,
            Dropped = _node.Dropped,
            Story = example is null ? null : CutStory.Of(example, time),
        };
    }
}
