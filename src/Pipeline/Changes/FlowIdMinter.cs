namespace ConntrackStream.Pipeline.Changes;

/// <summary>
/// Mints flow ids and packs them into 8 bytes: the sequence in the lower 48 bits, and in the upper 16 the place of the minting instance in
/// a list (0 = this one; others come from a checkpoint). 48 bits last 89 years at 100,000 flows a second.
/// </summary>
internal sealed class FlowIdMinter
{
    private const int SequenceBits = 48;
    private const ulong SequenceMask = (1UL << SequenceBits) - 1;

    private readonly List<ulong> _instances;
    private ulong _next;

    /// <param name="instance">Distinguishes this run of the service from all others; see <see cref="NewInstance"/>.</param>
    public FlowIdMinter(ulong instance) => _instances = [instance];

    /// <summary>60 bits: milliseconds of the start (48, sortable), and randomness (12).</summary>
    public static ulong NewInstance(TimeProvider time, Random random) =>
        (ulong)time.GetUtcNow().ToUnixTimeMilliseconds() << 12 | (uint)random.Next(1 << 12);

    public ulong Mint() => ++_next & SequenceMask;

    public FlowId Unpack(ulong packed) => new(_instances[(int)(packed >> SequenceBits)], packed & SequenceMask);

    /// <summary>An id as this minter packs it; false for one of an instance that it does not know, whose flows it cannot have.</summary>
    public bool TryFindPacked(FlowId id, out ulong packed)
    {
        int place = _instances.IndexOf(id.Instance);
        packed = (ulong)(uint)place << SequenceBits | (id.Sequence & SequenceMask);
        return place >= 0 && id.Sequence <= SequenceMask;
    }

    /// <summary>Packs an id from a checkpoint; false when 65,536 instances are known already (a new id is minted then).</summary>
    public bool TryPack(FlowId id, out ulong packed)
    {
        int place = _instances.IndexOf(id.Instance);
        if (place < 0 && _instances.Count <= ushort.MaxValue)
        {
            place = _instances.Count;
            _instances.Add(id.Instance);
        }

        packed = (ulong)(uint)place << SequenceBits | (id.Sequence & SequenceMask);
        return place >= 0;
    }
}
