using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>Makes traffic and ends flows at random, and tells the model. On the run's thread, but for <see cref="Provoke"/>.</summary>
internal sealed partial class SoakDriver(SoakNode node, SoakModel model, SoakOptions options)
{
    private const int MostAtOnce = 120;
    private const int Expire = 400; // one step in so many opens flows with a short timeout
    private const int Ways = 10; // one step in so many ends its flows by request, one closes its connections, the others let timers run out
    private const int LongLived = 8; // one tuple in so many is seldom ended
    private const long Patience = 5_000_000_000; // the loop may be far behind

    private readonly Random _random = new(options.Seed);
    private readonly Random _provoking = new(options.Seed + 1); // the loop's
    private readonly List<SoakFlow> _batch = [];
    private readonly long _grace = SoakClock.Of(options.Grace), _window = SoakClock.Of(options.ArmedWindow);
    private bool _rests;
    private int _steps;

    /// <summary>
    /// Keys whose entry was absent, and stayed so, while a flow of theirs was alive: seen before the flow ended, or sent again.
    /// </summary>
    public HashSet<MapKey> Absent { get; } = [];

    /// <summary>Times a live flow's entry was looked for before the flow ended or sent again.</summary>
    public long Looks { get; private set; }

    /// <summary>No traffic until the next <see cref="Step"/>, not even from <see cref="Provoke"/>.</summary>
    public void Rest()
    {
        lock (model.Lock)
            _rests = true;
    }

    /// <summary>Some flows more, some fewer.</summary>
    /// <param name="isHeldUp">The loop is held up: nothing is put back meanwhile, so held datagrams stay and nothing is looked for.</param>
    public void Step(bool isHeldUp)
    {
        lock (model.Lock)
        {
            _rests = false;
            KeepAlive();
            int opens = _random.Next(20, MostAtOnce);
            bool crowded = model.Open.Count > options.Alive;
            Open(opens, PacketUse.Whole);
            Open(opens / 10, PacketUse.Orphan);
            Refresh(opens / 20, isHeldUp);
            End(crowded ? opens + _random.Next(20) : opens / 3, isHeldUp);
            if (_steps++ % Expire == Expire / 4)
                OpenExpiring(200);
            AskExpiring();
            if (!isHeldUp)
                Release(SoakClock.Now);
        }
    }

    /// <summary>
    /// On the loop, before a step of a deletion: reuses the tuple now, or begins to. Does nothing while the driver is at work.
    /// </summary>
    public void Provoke(DeleteStep step, MapKey key)
    {
        if (_provoking.Next(options.Provoke) != 0 || !model.ByKey.TryGetValue(key, out SoakFlow? flow) || !model.Lock.TryEnter())
            return;
        try
        {
            if (_rests || flow.State != SoakState.Free)
                return;
            model.Counts.ReusedWithin++;
            if (step == DeleteStep.Take && flow.LeavesPod && flow.Original.Protocol == IpProtocol.Udp && _provoking.Next(2) == 0)
                Hold(flow);
            else
                Open([flow]);
        }
        finally
        {
            model.Lock.Exit();
        }
    }

    private void Open(int count, PacketUse use)
    {
        _batch.Clear();
        for (int i = 0; i < count; i++)
        {
            SoakFlow flow = Choose();
            if (flow.State != SoakState.Free || (use == PacketUse.Orphan && !CanBeOrphan(flow)))
                continue;
            flow.State = SoakState.Open; // chosen once
            _batch.Add(flow);
        }

        if (use == PacketUse.Orphan)
            Orphan(_batch);
        else
            Open(_batch);
    }

    /// <summary>A tuple whose flow ended lately, most of all one that is about to be deleted or just was; or any.</summary>
    private SoakFlow Choose()
    {
        long age = _random.Next(10) switch
        {
            < 2 => _random.NextInt64(_grace),
            < 5 => _grace + _random.NextInt64(_grace / 4),
            < 6 => _grace + _random.NextInt64(_window),
            _ => -1,
        };
        SoakFlow? recent = age < 0 ? null : model.Ends.Before(SoakClock.Now - age);
        return recent ?? model.Flows[_random.Next(model.Flows.Length)];
    }

    private static bool CanBeOrphan(SoakFlow flow) => flow.LeavesPod && flow.Entry is { Live: 0, Unsure: 0, StaleSince: 0 };

    private void Open(IReadOnlyList<SoakFlow> flows)
    {
        Begin(flows);
        long since = Send(flows, PacketUse.Whole);
        foreach (SoakFlow flow in flows)
            model.OnOpened(flow, since);
        Finish(flows);
    }

    private void Orphan(IReadOnlyList<SoakFlow> flows)
    {
        Begin(flows);
        Send(flows, PacketUse.Orphan);
        long now = SoakClock.Now;
        foreach (SoakFlow flow in flows)
            model.OnOrphaned(flow, now);
        Finish(flows);
    }

    /// <summary>Another packet of flows that live: would heal them.</summary>
    private void Refresh(int count, bool isHeldUp)
    {
        _batch.Clear();
        for (int i = 0; i < count && model.Open.Count > 0; i++)
            _batch.Add(model.Open[_random.Next(model.Open.Count)]);
        if (!isHeldUp)
            LookFor(_batch);
        Begin(_batch);
        Send(_batch, PacketUse.Whole);
        Finish(_batch);
    }

    private void End(int count, bool isHeldUp)
    {
        _batch.Clear();
        for (int i = 0; i < count && model.Open.Count > 0; i++)
        {
            SoakFlow flow = model.Open[_random.Next(model.Open.Count)];
            if ((flow.Original.Destination.Low + flow.Original.SourcePort) % LongLived == 0 && _random.Next(20) != 0)
                continue;
            if (!_batch.Contains(flow))
                _batch.Add(flow);
        }

        if (!isHeldUp)
            LookFor(_batch);
        // how long a key is held whose flow's deletion is lost depends on when it was last dumped
        int way = _random.Next(isHeldUp ? 1 : 0, Ways);
        if (way == 0)
            Delete(_batch);
        else if (way == 1)
            Close(_batch);
        else
            RunOut(_batch);
    }

    /// <summary>
    /// What is taken while its flow is alive is put back soon: an entry that is absent gets time for that, until one has not come back.
    /// </summary>
    private void LookFor(IReadOnlyList<SoakFlow> flows)
    {
        Looks += flows.Count;
        foreach (SoakFlow flow in flows)
        {
            long until = SoakClock.Now + (Absent.Count == 0 ? Patience : 0);
            bool isThere;
            while (!(isThere = node.Map.Has(flow.Entry.Key)) && SoakClock.Now < until)
            {
                KeepAlive();
                Thread.Yield();
            }

            if (!isThere && flow.State == SoakState.Open && IsSure)
                Absent.Add(flow.Entry.Key);
        }
    }

    /// <returns>When the first was sent.</returns>
    private long Send(IReadOnlyList<SoakFlow> flows, PacketUse use)
    {
        long since = SoakClock.Now;
        foreach (SoakFlow flow in flows)
            node.Add(flow, use);
        node.Send();
        return since;
    }

    private static void Begin(IEnumerable<SoakFlow> flows)
    {
        foreach (SoakFlow flow in flows)
            flow.Entry.BeginChange();
    }

    private static void Finish(IEnumerable<SoakFlow> flows)
    {
        foreach (SoakFlow flow in flows)
            flow.Entry.EndChange();
    }
}
