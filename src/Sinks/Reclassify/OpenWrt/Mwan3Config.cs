using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// Reads /etc/config/mwan3. Its interfaces, in their order and disabled ones counted, have the numbers 1, 2, … in marks (mmx_mask). A rule
/// sends flows to a policy (<see cref="Mwan3Policies"/>), the first that matches counts. (openwrt/packages net/mwan3: mwan3.sh.)
/// </summary>
public sealed class Mwan3Config
{
    private const string DefaultMask = "0x3F00";

    private static readonly string[] Types = ["globals", "interface", "member", "policy", "rule"];

    private readonly UciFile _mwan3;
    private readonly UciFile _network;
    private readonly uint _mask;
    private readonly ConfigImport _import = new();

    private Mwan3Config(UciFile mwan3, UciFile network, uint mask)
    {
        _mwan3 = mwan3;
        _network = network;
        _mask = mask;
    }

    /// <param name="mwan3">/etc/config/mwan3.</param>
    /// <param name="network">/etc/config/network.</param>
    /// <param name="config">Paths, rules and notes.</param>
    /// <param name="problem">Why it cannot be used at all.</param>
    public static bool TryRead(
        UciFile mwan3, UciFile network, [NotNullWhen(true)] out ImportedConfig? config, [NotNullWhen(false)] out string? problem)
    {
        config = null;
        problem = WhyOther(mwan3);
        if (problem is not null)
            return false;
        string text = mwan3.Find("globals", "globals")?.Get("mmx_mask") ?? DefaultMask;
        if (!MarkMatch.TryParse(text, out MarkMatch mask, out problem))
        {
            problem = $"section globals, option mmx_mask: {problem}";
            return false;
        }

        Mwan3Config reader = new(mwan3, network, mask.Value);
        reader._import.TellOfOtherTypes(mwan3, Types);
        reader.ReadInterfaces();
        Mwan3Policies policies = new(mwan3, reader._import.Paths);
        foreach (UciSection rule in mwan3.OfType("rule"))
            new Mwan3Rule(rule, policies, reader._import).Read();
        config = reader._import.Result;
        problem = null;
        return true;
    }

    /// <summary>mwan4 has interfaces and rules, too, but its rules name strategies: all of them would be passed over.</summary>
    private static string? WhyOther(UciFile file)
    {
        if (file.OfType("strategy").Any() || file.OfType("rule").Any(static rule => rule.Get("use_strategy") is not null))
            return $"is mwan4's configuration, not mwan3's: it has strategies in place of policies ({file.Types}); "
                + "name its uplinks in Reclassify:Paths, and what belongs on them in Reclassify:Sets or RuleFile";
        if (file.Sections.Any(static section => section.Type is "pbr" or "vpn-policy-routing"))
            return $"is pbr's configuration, not mwan3's ({file.Types}); give it as Reclassify:PbrConfig";
        return file.Sections.Any(static section => Types.Contains(section.Type, StringComparer.Ordinal))
            ? null
            : $"is not mwan3's configuration: it has no section of type {string.Join(", ", Types)}, but {file.Types}";
    }

    private void ReadInterfaces()
    {
        uint id = 0;
        uint largest = MarkSpread.LargestInterfaceId(_mask);
        foreach (UciSection section in _mwan3.OfType("interface"))
        {
            id++;
            if (id > largest)
                _import.Notes.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"interface {section.Name}: number {id}, but the mask 0x{_mask:x} has room for {largest}"));
            else if (section.GetBool("enabled", false))
                AddPath(section, id);
        }
    }

    private void AddPath(UciSection section, uint id)
    {
        string? family = section.Get("family");
        bool isKnown = FamilyNames.TryParse(family ?? FlowFamily.IPv4.Name(), out FlowFamily parsed);
        string? problem = isKnown
            ? UplinkPathText.NameProblem(section.Name)
            : RuleBuilder.NotUnderstood("family", family!);
        if (problem is not null)
        {
            _import.Notes.Add($"interface {section.Name}: {problem}; rules to it leave flows alone");
            return;
        }

        string? device = NetworkDevices.Of(_network, section.Name);
        if (device is null)
            _import.Notes.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"interface {section.Name}: "
                + $"{NetworkDevices.Unknown(_network, section.Name, $"id={id} ")}, so nothing tells whether it is up"));
        _import.Paths.Add(new UplinkPath
        {
            Name = section.Name,
            Family = parsed,
            Mark = new MarkMatch(MarkSpread.ToMark(id, _mask), _mask),
            Devices = device is null ? [] : [device],
        });
    }
}
