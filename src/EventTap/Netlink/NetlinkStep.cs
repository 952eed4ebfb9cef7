namespace ConntrackStream.EventTap.Netlink;

/// <summary>Steps whose failure has a remedy of its own.</summary>
public enum NetlinkStep
{
    /// <summary>Any other; the errno says all.</summary>
    Other,

    /// <summary>Entering a network namespace, which needs CAP_SYS_ADMIN.</summary>
    EnteringNamespace,

    /// <summary>Reading the size of the table: the first request, which shows whether the kernel has ctnetlink.</summary>
    CountingEntries,
}
