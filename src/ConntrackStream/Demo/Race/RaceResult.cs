namespace ConntrackStream.Service.Demo.Race;

/// <summary>What one cleaner did.</summary>
internal sealed record RaceResult
{
    internal required string Cleaner { get; init; }

    /// <summary>Entries of closed connections whose tuple was not used again, and how many of them are gone: the cleaner's job.</summary>
    internal required int Stale { get; init; }

    /// <inheritdoc cref="Stale"/>
    internal required int StaleRemoved { get; init; }

    /// <summary>Tuples that were used again.</summary>
    internal required int Reused { get; init; }

    /// <summary>Connections that lived when their servers pushed: on reused tuples, and there from the start.</summary>
    internal required int Live { get; init; }

    /// <summary>Of those, the ones whose client waited in vain.</summary>
    internal required int Cut { get; init; }

    /// <summary>Of those, the ones that the kernel's table had all the same.</summary>
    internal required int CutWhileTracked { get; init; }

    /// <summary>Of those, the ones whose push came once the client had sent something.</summary>
    internal required int Recovered { get; init; }

    /// <summary>Entries that the cleaner deleted and put back.</summary>
    internal required int Restored { get; init; }

    /// <summary>The longest of them was absent from the map for so long.</summary>
    internal required TimeSpan LongestAbsence { get; init; }

    /// <summary>Packets of servers that the gate dropped.</summary>
    internal required long Dropped { get; init; }

    /// <summary>How one of the cut connections came to that; null when none was cut.</summary>
    internal required IReadOnlyList<string>? Story { get; init; }
}
