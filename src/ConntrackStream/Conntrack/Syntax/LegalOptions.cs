using System.Numerics;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>
/// Which options a command takes, and the check. A rule has a character for each option: <c>-</c> not allowed, <c>!</c> needed,
/// <c>+</c> allowed, <c>2</c> allowed, and one of two pairs of such options must be whole.
/// </summary>
/// <param name="names">The options by bit, as faults name them.</param>
/// <param name="pairs">The pairs, and what is said when neither is whole: the first whose half is given, else the first.</param>
internal sealed class LegalOptions(string[] names, params (uint Pair, string Fault)[] pairs)
{
    private readonly Dictionary<CommandKind, string> _rules = [];

    /// <summary>conntrack's own options (commands_v_options).</summary>
    internal static LegalOptions General { get; } = new LegalOptions(
        [
            "src", "dst", "reply-src", "reply-dst", "protonum", "timeout", "status", "zero", "event-mask", "tuple-src", "tuple-dst",
            "mask-src", "mask-dst", "nat-range", "mark", "id", "family", "src-nat", "dst-nat", "output", "secmark", "buffer-size",
            "any-nat", "zone", "label", "label-add", "label-del", "orig-zone", "reply-zone",
        ],
        ((uint)Given.Original, "you have to specify `--src' and `--dst'"),
        ((uint)Given.Reply, "you have to specify `--reply-src' and `--reply-dst'"))
        //                       sdrqptuze[]{}amifngocbjwl<>()
        .For(CommandKind.List, "+++++-++---++-+-+++++-+++--++")
        .For(CommandKind.Create, "2222!!+------++--++----+-+-++")
        .For(CommandKind.Update, "+++++++----++-++++++----+++--")
        .For(CommandKind.Delete, "+++++++----++-++++++---++--++")
        .For(CommandKind.Get, "2222!----------+---+----+----")
        .For(CommandKind.Flush, "----------------+------------")
        .For(CommandKind.Event, "+++++---+--++-+-+++++++++--++")
        .For(CommandKind.Help, "----+------------------------")
        .For(CommandKind.ExpectList, "----------------+--+---------")
        .For(CommandKind.ExpectCreate, "!!++!!+--!!!!----------------")
        .For(CommandKind.ExpectDelete, "!!++!------------------------")
        .For(CommandKind.ExpectGet, "!!++!------------------------")
        .For(CommandKind.ExpectEvent, "-------------------+---------")
        .For(CommandKind.Add, "2222!!+------++--++----+-+-++");

    /// <summary>A rule of one command; without one, it takes none of the options.</summary>
    internal LegalOptions For(CommandKind command, string rule)
    {
        _rules.Add(command, rule);
        return this;
    }

    /// <summary>Whether a command takes an option, by the name that faults have for it.</summary>
    internal bool Takes(string name, CommandKind command)
    {
        int at = Array.IndexOf(names, name);
        return at >= 0 && _rules.TryGetValue(command, out string? rule) && at < rule.Length && rule[at] != '-';
    }

    /// <exception cref="ConntrackFault">An option is missing, or one too many.</exception>
    internal void Check(uint given, CommandKind command)
    {
        string rule = _rules.GetValueOrDefault(command, "");
        bool needsPair = false;
        for (int i = 0; i < names.Length; i++)
        {
            char legal = i < rule.Length ? rule[i] : '-';
            bool isGiven = (given & (1u << i)) != 0;
            if (!isGiven && legal == '!')
                throw ConntrackFault.Usage($"You need to supply the `--{names[i]}' option for this command");
            if (isGiven && legal == '-')
                throw ConntrackFault.Usage($"Illegal option `--{names[i]}' with this command");
            needsPair |= legal == '2';
        }

        if (!needsPair || pairs.Length == 0 || pairs.Any(pair => (given & pair.Pair) == pair.Pair))
            return;
        int half = Array.FindIndex(pairs, pair => BitOperations.PopCount(given & pair.Pair) > 0);
        throw ConntrackFault.Usage(pairs[Math.Max(half, 0)].Fault);
    }
}
