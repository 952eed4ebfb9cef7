namespace ConntrackStream.Sinks.Reclassify.Sets.Reading;

/// <summary>
/// When a set that is due is read: so that reading takes at most a twentieth of one processor. All sets together keep to that; one that has
/// changed for sure may take a twentieth by itself, and however many have, they take a quarter together. Looking whether they have changed
/// is limited to a twentieth, too: for the header of a set with timeouts the kernel counts its members, one by one
/// (mtype_ext_size in ip_set_hash_gen.h).
/// </summary>
internal static class ReadingPace
{
    private const int Share = 20;

    /// <summary>How long to rest after work that took so long.</summary>
    internal static TimeSpan Rest(TimeSpan took) => took * (Share - 1);

    /// <summary>How long no set is read after one that took so long.</summary>
    internal static TimeSpan Pause(TimeSpan took) => took * 3;

    /// <summary>From one look at a set to the next.</summary>
    /// <param name="took">What the look took.</param>
    /// <param name="sets">How many are looked at.</param>
    internal static TimeSpan Interval(TimeSpan interval, TimeSpan took, int sets) =>
        TimeSpan.FromTicks(Math.Max(interval.Ticks, Rest(took * sets).Ticks));

    /// <param name="since">Since the set's last reading ended.</param>
    /// <param name="own">What that took.</param>
    /// <param name="all">What the last reading of each set took, added up.</param>
    internal static bool IsTime(TimeSpan since, TimeSpan own, TimeSpan all, Func<bool> hasChanged) =>
        since >= Rest(all) || (since >= Rest(own) && hasChanged());
}
