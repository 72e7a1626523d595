//! The agent's tools, by name.

use crate::fault::Fault;
use crate::wording;
use serde::{Deserialize, Serialize};

/// All that releases 0.18.2 and 0.19.0 register; those of MCP servers are
/// `mcp__SERVER__TOOL`.
const KNOWN: [&str; 83] = [
    "browser_back",
    "browser_cdp",
    "browser_click",
    "browser_console",
    "browser_dialog",
    "browser_get_images",
    "browser_navigate",
    "browser_press",
    "browser_scroll",
    "browser_snapshot",
    "browser_type",
    "browser_vision",
    "clarify",
    "close_terminal",
    "computer_use",
    "cronjob",
    "delegate_task",
    "discord",
    "discord_admin",
    "execute_code",
    "feishu_doc_read",
    "feishu_drive_add_comment",
    "feishu_drive_list_comment_replies",
    "feishu_drive_list_comments",
    "feishu_drive_reply_comment",
    "ha_call_service",
    "ha_get_state",
    "ha_list_entities",
    "ha_list_services",
    "image_generate",
    "kanban_attach",
    "kanban_attach_url",
    "kanban_attachments",
    "kanban_block",
    "kanban_comment",
    "kanban_complete",
    "kanban_create",
    "kanban_heartbeat",
    "kanban_link",
    "kanban_list",
    "kanban_show",
    "kanban_unblock",
    "memory",
    "patch",
    "process",
    "project_create",
    "project_list",
    "project_switch",
    "read_file",
    "read_terminal",
    "search_files",
    "send_message",
    "session_search",
    "skill_manage",
    "skill_view",
    "skills_list",
    "spotify_albums",
    "spotify_devices",
    "spotify_library",
    "spotify_playback",
    "spotify_playlists",
    "spotify_queue",
    "spotify_search",
    "terminal",
    "text_to_speech",
    "todo",
    "tool_call",
    "tool_describe",
    "tool_search",
    "video_analyze",
    "video_generate",
    "vision_analyze",
    "web_extract",
    "web_search",
    "write_file",
    "x_search",
    "xai_video_edit",
    "xai_video_extend",
    "yb_query_group_info",
    "yb_query_group_members",
    "yb_search_sticker",
    "yb_send_dm",
    "yb_send_sticker",
];

/// With these an allow-list of commands would say nothing: they run code of their own making, or
/// later, when nobody judges it.
const PAST_THE_LIST: [&str; 7] =
    ["browser_cdp", "browser_console", "computer_use", "cronjob", "execute_code", "process", "skill_manage"];

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tool(String);

impl TryFrom<String> for Tool {
    type Error = Fault;

    fn try_from(name: String) -> Result<Self, Fault> {
        let of_a_server = name.strip_prefix("mcp__").is_some_and(|rest| {
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        });
        if PAST_THE_LIST.contains(&name.as_str()) {
            return Err(Fault::new(format!("the tool `{name}` cannot be on an allow-list"))
                .hint("it runs what no rule has judged; `mode: manual` has it, and asks a person"));
        }
        if of_a_server || KNOWN.contains(&name.as_str()) {
            return Ok(Self(name));
        }
        let near = nearest(&name).map(|meant| format!("did you mean `{meant}`? "));
        Err(Fault::new(format!("the agent has no tool `{name}`"))
            .hint(format!("{}those of an MCP server begin with `mcp__`", near.unwrap_or_default())))
    }
}

/// Whether a line of the audit log may be about it: also what cannot be on a list, and the tool of
/// the policy's test of itself.
pub fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || name.starts_with("mcp__") || name == "petasos_selftest"
}

pub fn nearest(name: &str) -> Option<&'static str> {
    wording::nearest(name, KNOWN.into_iter())
}

impl From<Tool> for String {
    fn from(tool: Tool) -> String {
        tool.0
    }
}

/// What an allow-list has where nothing is said: commands, which the rules judge, and what reads.
pub fn by_default() -> Vec<Tool> {
    [
        "clarify",
        "read_file",
        "search_files",
        "skill_view",
        "skills_list",
        "terminal",
        "todo",
        "web_extract",
        "web_search",
    ]
    .map(|name| Tool(name.to_owned()))
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_tool_is_named_with_the_one_that_was_meant() {
        let read = |name: &str| Tool::try_from(name.to_owned()).map_err(|fault| fault.to_string());
        assert!(read("read_flie").is_err_and(|why| why.contains("did you mean `read_file`?")));
        assert!(read("execute_code").is_err_and(|why| why.contains("no rule has judged")));
        assert!(read("mcp__").is_err() && read("").is_err());
        assert!(read("mcp__github__list-issues").is_ok());
        assert!(by_default().into_iter().all(|tool| read(&tool.0).is_ok()));
        assert!(KNOWN.is_sorted());
    }
}
