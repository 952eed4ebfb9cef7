using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.Reclassify.Sets.Ipsets;

/// <summary>What went wrong with a request to ipset, and what to do.</summary>
internal static class IpsetAdvice
{
    internal static string Describe(string operation, Errno errno) => new NetlinkException(operation, errno, errno switch
    {
        Errno.EPERM => "this needs CAP_NET_ADMIN",
        Errno.EINVAL or Errno.EOPNOTSUPP => "this kernel has no ipset (ip_set); load the module",
        (Errno)Ipset.IPSET_ERR_PROTOCOL => "this kernel's ipset speaks another protocol than 7",
        Errno.EBUSY => "another listing is under way",
        _ => null,
    }).Message;
}
