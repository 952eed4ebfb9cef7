namespace ConntrackStream.Sinks.Reclassify.Sets.Reading;

/// <summary>
/// Which set is read when, so that reading takes no more of the processor than it may (<see cref="ReadingPace"/>). Used by the reader.
/// </summary>
/// <param name="sources">All sets; may grow and shrink between turns.</param>
/// <param name="time">The mirrors' own.</param>
/// <param name="interval">Between two looks at a set that tells no changes, at least.</param>
internal sealed class ReadingTurns(IReadOnlyCollection<SetSource> sources, TimeProvider time, TimeSpan interval)
{
    private long _restUntil;

    /// <summary>Looks at the set that is due first, and reads it where it must be read.</summary>
    /// <returns>False when none is due, but after <paramref name="idle"/>.</returns>
    internal bool Take(SetLink link, out TimeSpan idle)
    {
        SetSource first = sources.MinBy(static source => source.Due)!;
        long now = time.GetTimestamp();
        long due = first.WasRead ? Math.Max(first.Due, _restUntil) : first.Due;
        idle = due == long.MaxValue ? Timeout.InfiniteTimeSpan : time.GetElapsedTime(now, due);
        if (due > now)
            return false;
        if (IsTimeFor(first, now, link))
        {
            first.Read(link);
            _restUntil = first.LastReadAt + Stamps(ReadingPace.Pause(first.LastAttemptTook));
        }

        first.Due = first.IsNotified ? long.MaxValue : NextLook(first);
        return true;
    }

    /// <summary>The set is known to be out of date: it is read as soon as its share of the processor allows.</summary>
    internal void Demand(SetSource source)
    {
        source.MustRead = true;
        source.Due = EndOfRest(source);
    }

    private long NextLook(SetSource source) =>
        Math.Max(time.GetTimestamp() + Stamps(ReadingPace.Interval(interval, source.LastLookTook, sources.Count)), EndOfRest(source));

    private long EndOfRest(SetSource source) => source.LastReadAt + Stamps(ReadingPace.Rest(source.LastAttemptTook));

    /// <summary>A set that is due is looked at; reading all of it may have to wait.</summary>
    private bool IsTimeFor(SetSource source, long now, SetLink link)
    {
        if (source.MustRead || !source.WasRead)
            return true;
        TimeSpan since = time.GetElapsedTime(source.LastReadAt, now);
        TimeSpan all = TimeSpan.Zero;
        foreach (SetSource other in sources)
            all += other.IsNotified ? TimeSpan.Zero : other.LastAttemptTook;
        return ReadingPace.IsTime(since, source.LastAttemptTook, all, () => source.HasChanged(link));
    }

    private long Stamps(TimeSpan length) => (long)Math.Ceiling(length.TotalSeconds * time.TimestampFrequency);
}
