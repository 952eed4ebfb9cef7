using ConntrackStream.Sinks.Reclassify.Sets.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets.Table;

/// <summary>
/// Members by key, each with a deadline, refreshed in rounds: <see cref="BeginRound"/>, <see cref="Put"/> for each member listed, then
/// <see cref="Sweep"/> takes out those that were not. So a member that stays is there all the time. Not thread-safe.
/// </summary>
internal abstract class MemberTable
{
    /// <summary>Members whose removal may change an answer by more than their own absence.</summary>
    internal const byte NoMatch = 0x80; // IPSET_FLAG_NOMATCH

    /// <summary>Members, expired ones included until they are swept.</summary>
    internal abstract int Count { get; }

    /// <summary>Bytes of its arrays.</summary>
    internal abstract long Bytes { get; }

    internal static MemberTable Create(bool narrow) => narrow ? new MemberTable<NarrowKey>() : new MemberTable<WideKey>();

    /// <summary>Finds a member that has not expired.</summary>
    /// <param name="deadline">As <see cref="SetClock"/> counts; 0: it stays.</param>
    internal abstract bool Find(in SetKey key, uint now, out uint deadline, out bool noMatch);

    /// <summary>Every member of before is old until it is put again.</summary>
    internal abstract void BeginRound();

    /// <summary>Adds a member or renews it.</summary>
    internal abstract PutResult Put(in SetKey key, uint deadline, bool noMatch, uint now);

    /// <returns>Whether it was there.</returns>
    internal abstract bool Remove(in SetKey key);

    /// <summary>Takes out members that this round did not bring, looking at up to <paramref name="slots"/> places.</summary>
    /// <param name="position">0 at first; where to go on.</param>
    /// <param name="removed">Told of each.</param>
    /// <returns>False when all have been looked at.</returns>
    internal abstract bool Sweep(ref int position, int slots, Action<SetKey, bool> removed);

    /// <summary>Every member: key, deadline, nomatch.</summary>
    internal abstract IEnumerable<(SetKey Key, uint Deadline, bool NoMatch)> Members();
}

/// <summary>What <see cref="MemberTable.Put"/> changed.</summary>
/// <param name="Added">The key was not in the table.</param>
/// <param name="Gained">It matches now and did not before: it is new, had expired, or was a nomatch.</param>
internal readonly record struct PutResult(bool Added, bool Gained);
