namespace ConntrackStream.Sinks.Reclassify.Sets.Reading;

/// <summary>
/// When a set that is due is read: so that reading takes at most a twentieth of one processor. All sets together keep to that; one that has
/// changed for sure may take a twentieth by itself.
/// </summary>
internal static class ReadingPace
{
    private const int Share = 20;

    /// <summary>How long to rest after work that took so long.</summary>
    internal static TimeSpan Rest(TimeSpan took) => took * (Share - 1);

    /// <param name="since">Since the set's last reading ended.</param>
    /// <param name="own">What that took.</param>
    /// <param name="all">What the last reading of each set took, added up.</param>
    internal static bool IsTime(TimeSpan since, TimeSpan own, TimeSpan all, Func<bool> hasChanged) =>
        since >= Rest(all) || (since >= Rest(own) && hasChanged());
}
