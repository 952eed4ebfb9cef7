using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>State</c>: what must outlive the process.</summary>
public sealed class StateSettings : IOptionSection
{
    /// <summary>
    /// Flow ids, what was learnt of the eBPF map, and original sysctl values; made with mode 0700 if missing. Must belong to root or the
    /// service's user; refused if everybody can write to it. Each service needs a directory of its own.
    /// </summary>
    [Required]
    public string Directory { get; set; } = "/var/lib/conntrack-stream";
}
