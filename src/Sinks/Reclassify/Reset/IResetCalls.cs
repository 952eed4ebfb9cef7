using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>
/// What the kernel does for resets: calls that may wait for other users of nftables, hence made outside the reclassifier's lock, one
/// at a time.
/// </summary>
internal interface IResetCalls : IDisposable
{
    /// <summary>
    /// From its return on, the next packet of each client in <paramref name="add"/> is answered with a reset, and none of those in
    /// <paramref name="remove"/>.
    /// </summary>
    /// <param name="timeout">When those added are removed of themselves.</param>
    /// <exception cref="NetlinkException">Some of them may have been changed.</exception>
    void Change(IReadOnlyList<PendingReset> add, IReadOnlyList<PendingReset> remove, TimeSpan timeout);

    /// <summary>Sets <see cref="PendingReset.Seen"/> of each.</summary>
    /// <exception cref="NetlinkException">The kernel could not be asked.</exception>
    void Look(IReadOnlyList<PendingReset> resets);
}
