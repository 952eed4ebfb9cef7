using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// Reads /etc/config/pbr. pbr writes no connmark, so its paths are told by the translated source: by their devices. Policies come in order,
/// the first that matches counts; before them come the sets that an include fills, and before those the interfaces that a DSCP value
/// chooses. (openwrt/packages net/pbr: its init script, and lib/pbr/pbr.uc.)
/// </summary>
public sealed class PbrConfig
{
    private const string Dscp = "_dscp";

    private readonly UciFile _pbr;
    private readonly UciSection _config;
    private readonly ConfigImport _import = new();
    private readonly PbrInterfaces _interfaces;

    private PbrConfig(UciFile pbr, UciSection config, UciFile network)
    {
        _pbr = pbr;
        _config = config;
        _interfaces = new PbrInterfaces(config, network, _import);
    }

    /// <param name="pbr">/etc/config/pbr.</param>
    /// <param name="network">/etc/config/network.</param>
    /// <param name="config">Paths, rules and notes.</param>
    /// <param name="problem">Why it is not pbr's configuration.</param>
    public static bool TryRead(
        UciFile pbr, UciFile network, [NotNullWhen(true)] out ImportedConfig? config, [NotNullWhen(false)] out string? problem)
    {
        config = null;
        if (pbr.Find("pbr", "config") is not { } own)
        {
            problem = $"is not pbr's configuration: it has no section pbr 'config', but {pbr.Types}";
            return false;
        }

        problem = null;
        if (own.GetBool("enabled", false))
            config = new PbrConfig(pbr, own, network).Read();
        else
            config = new ImportedConfig(
                [], [], [], ["pbr is not enabled (section config, option enabled): nothing is taken from its configuration"], []);
        return true;
    }

    private ImportedConfig Read()
    {
        // dns_policy redirects, and what is redirected is not moved
        _import.TellOfOtherTypes(_pbr, "pbr", "policy", "dns_policy", "include");
        foreach (string key in _config.Keys.Where(IsDscp))
            ReadDscp(key);
        UciSection[] includes = [.. _pbr.OfType("include").Where(include => include.GetBool("enabled", true))];
        if (includes.Length > 0)
            AddUserSets();
        _import.Notes.AddRange(includes.Select(include => string.Create(
            CultureInfo.InvariantCulture,
            $"section include, option path '{include.Get("path")}': what it sends where is known only as far as it fills "
            + $"pbr's own user sets of addresses; name others in Reclassify:Sets")));
        foreach (UciSection policy in _pbr.OfType("policy"))
            new PbrPolicy(policy, _interfaces, HasSets, _import).Read();
        return _import.Result;
    }

    private bool HasSets => _config.Get("resolver_set") == "dnsmasq.nftset";

    // INTERFACE_dscp: packets with that value take it before any policy is asked; no entry tells a packet's DSCP
    private bool IsDscp(string key) => key.EndsWith(Dscp, StringComparison.Ordinal) && _config.Get(key) is not (null or "0");

    private void ReadDscp(string key)
    {
        RuleBuilder builder = new("pbr section config");
        builder.AddUnknown($"option {key} '{_config.Get(key)}' sends packets by their DSCP, which no entry tells");
        IReadOnlyList<StaticRule> rules = builder.Build(PbrPolicy.Families(_interfaces.HasIPv6), _ => null);
        _import.Tell("section config", builder, rules);
        _import.Add(rules);
    }

    // pbr_INTERFACE_4_dst_ip_user and pbr_INTERFACE_4_src_ip_user, which are asked before the policies
    private void AddUserSets()
    {
        foreach (UplinkPath path in _import.Paths)
        {
            StaticRule all = new() { Path = path.Name, Origin = "pbr include" };
            foreach (string family in _interfaces.HasIPv6 ? ["4", "6"] : new[] { "4" })
            {
                _import.Add($"nft:inet/fw4/pbr_{path.Name}_{family}_dst_ip_user@dst", [all], isAlwaysThere: false);
                _import.Add($"nft:inet/fw4/pbr_{path.Name}_{family}_src_ip_user@src", [all], isAlwaysThere: false);
            }
        }
    }
}
