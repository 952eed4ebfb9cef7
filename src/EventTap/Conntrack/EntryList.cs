namespace ConntrackStream.EventTap.Conntrack;

/// <summary>Where the kernel keeps entries, as <c>conntrack -L</c> names it.</summary>
public enum EntryList
{
    /// <summary>The connection table.</summary>
    Conntrack,

    /// <summary>
    /// Entries that were removed while a listener with reliable delivery could not be told yet; those alone since Linux 5.19.
    /// </summary>
    Dying,

    /// <summary>Entries whose first packet is still under way; always empty since Linux 5.19.</summary>
    Unconfirmed,
}
