using System.ComponentModel.DataAnnotations;

namespace ConntrackStream.Service.Options;

/// <summary><c>Api</c>: the running service's HTTP interface on a Unix socket.</summary>
public sealed class ApiSettings
{
    /// <summary>Serves it at all. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Path of the socket, made with mode 0660; at most 107 bytes (sun_path). Default /run/conntrack-stream/api.sock.</summary>
    [Required]
    [StringLength(107)]
    public string Socket { get; set; } = "/run/conntrack-stream/api.sock";

    /// <summary>Connections served at one time; one more is refused. Default 32.</summary>
    [Range(1, 1024)]
    public int MaxConnections { get; set; } = 32;
}
