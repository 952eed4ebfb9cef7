using System.Collections.Concurrent;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>
/// Looks keys up in the map on a thread and by system calls of its own: how long stale ones stay, and whether live ones are absent.
/// </summary>
internal sealed class MapObserver : IDisposable
{
    private const int IdleShare = 64; // of the entries whose life is older than those of interest, one in so many is looked up each time
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private static readonly long Young = SoakClock.Of(TimeSpan.FromSeconds(1.5));
    private static readonly long Longest = SoakClock.Of(TimeSpan.FromSeconds(1));

    private readonly RawFlowMap _map;
    private readonly SoakEntry[] _entries;
    private readonly AuditLog _audits;
    private static readonly long Patience = SoakClock.Of(TimeSpan.FromSeconds(5)); // for an entry that is put back
    private static readonly long Settling = SoakClock.Of(TimeSpan.FromSeconds(2)); // between a loss and what says so

    private readonly Func<long> _losses;
    private readonly Dictionary<SoakEntry, (int Version, long Since)> _early = [];
    private readonly long _grace;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;
    private long _lost, _lostAt;
    private int _turn, _suspects;

    public MapObserver(string pin, SoakModel model, AuditLog audits, TimeSpan grace, Func<long> losses)
    {
        _map = new RawFlowMap(pin);
        _entries = [.. model.Entries.Values];
        _audits = audits;
        _losses = losses;
        _grace = SoakClock.Of(grace);
        _thread = new Thread(Run) { IsBackground = true, Name = "map observer" };
        _thread.UnsafeStart();
    }

    /// <summary>How long stale entries stayed.</summary>
    public List<StaleStay> Stays { get; } = [];

    /// <summary>Entries that were gone although the timer of their deleted flow had time left; where no events were lost since.</summary>
    public ConcurrentQueue<SoakEntry> GoneEarly { get; } = [];

    /// <summary>Some entry is gone that may yet be put back, or else has gone early.</summary>
    public bool HasSuspects => Volatile.Read(ref _suspects) > 0;

    /// <summary>Times such an entry was seen to stay until its time was over, and then to go.</summary>
    public long Held { get; private set; }

    /// <summary>For how long entries of live flows were seen absent, in ns.</summary>
    public List<long> Absences { get; } = [];

    /// <summary>Times the entry of a live flow was looked up.</summary>
    public long LiveLookups { get; private set; }

    /// <summary>Its results may be read then.</summary>
    public void Stop()
    {
        _stop.Set();
        _thread.Join();
    }

    public void Dispose()
    {
        Stop();
        _map.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        do
        {
            _audits.Poll();
            long now = SoakClock.Now;
            _turn++;
            WatchLosses(now);
            LookAtEarly(now);
            for (int i = 0; i < _entries.Length; i++)
            {
                SoakEntry entry = _entries[i];
                if (entry.Live > 0 && (now - entry.LiveSince < Young || (i + _turn) % IdleShare == 0))
                    LookAtLive(entry);
                else if (Volatile.Read(ref entry.StaleSince) is not 0 and long since)
                    LookAtStale(entry, since);
            }
        }
        while (!_stop.Wait(Pause));
    }

    private void LookAtLive(SoakEntry entry)
    {
        if (!entry.TryObserve(out int version) || entry.Live == 0)
            return;
        LiveLookups++;
        if (_map.Has(entry.Key) || !entry.IsUnchanged(version))
            return;
        long since = SoakClock.Now;
        while (!_map.Has(entry.Key) && entry.IsUnchanged(version) && SoakClock.Now - since < Longest)
            Thread.SpinWait(8);
        Absences.Add(SoakClock.Now - since);
    }

    private void LookAtStale(SoakEntry entry, long since)
    {
        if (!entry.TryObserve(out int version) || _map.Has(entry.Key) || !entry.IsUnchanged(version))
            return;
        long now = SoakClock.Now, heldUntil = Volatile.Read(ref entry.HeldUntil);
        if (now < heldUntil)
        {
            _early.TryAdd(entry, (version, now));
            return;
        }

        if (Interlocked.CompareExchange(ref entry.StaleSince, 0, since) == since)
        {
            long from = Math.Max(since, heldUntil);
            Held += heldUntil != 0 ? 1 : 0;
            Stays.Add(new StaleStay(now - from, _audits.Between(from, now - _grace), MapKeys.IsShared(entry.Key.Tuple.Protocol)));
        }
    }

    /// <summary>
    /// What was absent too early may be put back yet. After a loss the service does not know how much time a flow had left.
    /// </summary>
    private void LookAtEarly(long now)
    {
        foreach ((SoakEntry entry, (int version, long since)) in _early)
        {
            bool isAbsent = !_map.Has(entry.Key);
            if (isAbsent && entry.IsUnchanged(version) && since - _lostAt > Settling && now - since < Patience)
                continue;
            _early.Remove(entry);
            if (isAbsent && entry.IsUnchanged(version) && since - _lostAt > Settling)
                GoneEarly.Enqueue(entry);
        }

        Volatile.Write(ref _suspects, _early.Count);
    }

    private void WatchLosses(long now)
    {
        long lost = _losses();
        if (lost != _lost)
            (_lost, _lostAt) = (lost, now);
    }
}

/// <summary>How long an entry stayed without a flow.</summary>
/// <param name="Time">In ns since its flow ended or its hold was over, as seen every 10 ms or so.</param>
/// <param name="Audits">That counted, lay within that time and ended a grace before its end.</param>
/// <param name="IsShared">Its key has no ports.</param>
internal readonly record struct StaleStay(long Time, int Audits, bool IsShared);
